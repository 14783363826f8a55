import { Validations } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, it } from 'vitest';
import openapi from '../../infra/payments/openapi.json' with { type: 'json' };
import type { Authorization } from '../../infra/stack/settings.ts';
import { ALARMED_METRICS } from './support/alarms.ts';
import { allowedTo, arn, logAndTrace, propertiesOf, stackWith, templateWith } from './support/stack.ts';

const IAM: Authorization = { kind: 'iam' };
const JWT: Authorization = { kind: 'jwt', issuer: 'https://issuer.example/', audience: ['shop'] };
const ANONYMOUS: Authorization = { kind: 'anonymous' };

it('keeps the logical ids of what must not be replaced, in every release', () => {
  const template = templateWith();
  expect(Object.keys(template.findResources('AWS::DynamoDB::GlobalTable')).sort()).toEqual([
    'IdempotencyTable48612DF4',
    'LedgerB7379752',
    'Payments130453D3',
  ]);
  expect(Object.keys(template.findResources('AWS::Lambda::Function')).sort()).toEqual([
    'Function76856677',
    'LedgerConsumer86F474BC',
    'PublisherF0355618',
  ]);
  expect(Object.keys(template.findResources('AWS::SQS::Queue')).sort()).toEqual([
    'LedgerDeadLetters76DE1346',
    'LedgerQueue842A8811',
    'UnpublishedEvents9B6C9933',
  ]);
  expect(Object.keys(template.findResources('AWS::ApiGatewayV2::Api'))).toEqual(['ApiF70053CD']);
  expect(Object.keys(template.findResources('AWS::Logs::LogGroup')).sort()).toEqual([
    'ApiLogs3D05D88B',
    'FunctionLogsAE28C13D',
    'LedgerConsumerLogsF8636D52',
    'PublisherLogsF6EE885C',
  ]);
});

it('has outputs for the URL and the names of tables and queues', () => {
  expect(Object.keys(templateWith().toJSON()['Outputs']).sort()).toEqual([
    'DashboardName',
    'FunctionName',
    'IdempotencyTableName',
    'LedgerDeadLettersUrl',
    'LedgerQueueUrl',
    'LedgerTableName',
    'PaymentsTableName',
    'Url',
  ]);
});

it.each([
  ['gives its tables up with the stack, as an example should', false, 'Delete'],
  ['protects its tables and retains them, when it is told to keep them', true, 'Retain'],
])('%s, and can restore them until then', (_, keep, policy) => {
  const tables = Object.values(templateWith(IAM, keep).findResources('AWS::DynamoDB::GlobalTable'));
  expect(tables).toHaveLength(3);
  for (const table of tables) {
    expect(table).toMatchObject({
      DeletionPolicy: policy,
      UpdateReplacePolicy: policy,
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        Replicas: [
          { DeletionProtectionEnabled: keep, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
        ],
      },
    });
  }
});

// That no payment has the attribute is told by outbox.test.ts.
it('lets DynamoDB delete expired records, and events that were published long ago, and nothing of the ledger', () => {
  const tables = templateWith().findResources('AWS::DynamoDB::GlobalTable');
  const onExpiration = { AttributeName: 'expiration', Enabled: true };
  expect(Object.entries(tables).map(([id, table]) => [id, table['Properties'].TimeToLiveSpecification])).toEqual([
    ['IdempotencyTable48612DF4', onExpiration],
    ['Payments130453D3', onExpiration],
    ['LedgerB7379752', undefined],
  ]);
});

it('ends the function before the API gives it up', () => {
  const template = templateWith();
  const [fn] = propertiesOf(template, 'AWS::Lambda::Function');
  expect(fn.Timeout).toBeLessThan(29);
  expect(fn).toMatchObject({
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    TracingConfig: { Mode: 'Active' },
    LoggingConfig: { LogFormat: 'JSON', LogGroup: { Ref: 'FunctionLogsAE28C13D' } },
    Environment: {
      Variables: {
        IDEMPOTENCY_TABLE_NAME: { Ref: 'IdempotencyTable48612DF4' },
        PAYMENTS_TABLE_NAME: { Ref: 'Payments130453D3' },
      },
    },
  });
});

it('allows the function what it does, on its own tables and its own log, and nothing else', () => {
  const template = templateWith();
  const assumedByLambda = {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }],
    },
  };
  const roles = propertiesOf(template, 'AWS::IAM::Role');
  expect(roles).toEqual([assumedByLambda, assumedByLambda, assumedByLambda]);
  expect(propertiesOf(template, 'AWS::IAM::Policy')).toHaveLength(roles.length);
  expect(allowedTo(template, 'FunctionRole111A5701')).toEqual([
    ...logAndTrace('FunctionLogsAE28C13D'),
    {
      Effect: 'Allow',
      Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      Resource: arn('Payments130453D3'),
    },
    {
      Effect: 'Allow',
      Action: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
      Resource: arn('IdempotencyTable48612DF4'),
    },
  ]);
});

it('routes what the OpenAPI document has, each way of authorization for all of it', () => {
  const documented = Object.entries(openapi.paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((name) => name !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const [authorization, type, scope] of [
    [IAM, 'AWS_IAM', 'verified'],
    [JWT, 'JWT', 'verified'],
    [ANONYMOUS, 'NONE', 'anonymous'],
  ] as const) {
    const template = templateWith(authorization);
    const routes = propertiesOf(template, 'AWS::ApiGatewayV2::Route');
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual([...documented].sort());
    expect(new Set(routes.map(({ AuthorizationType }) => AuthorizationType))).toEqual(new Set([type]));
    const [fn] = propertiesOf(template, 'AWS::Lambda::Function');
    expect(fn.Environment.Variables.PAYMENTS_SCOPE).toBe(scope);
  }
});

it('asks the issuer of its tokens', () => {
  templateWith(JWT).hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
    AuthorizerType: 'JWT',
    JwtConfiguration: { Issuer: 'https://issuer.example/', Audience: ['shop'] },
  });
});

it('throttles, and writes an access log without headers and bodies', () => {
  const [stage] = propertiesOf(templateWith(), 'AWS::ApiGatewayV2::Stage');
  expect(stage).toMatchObject({
    StageName: '$default',
    DefaultRouteSettings: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
  });
  expect(Object.keys(JSON.parse(stage.AccessLogSettings.Format))).not.toContain('headers');
});

it('alarms on what a person must look into', () => {
  const alarms = propertiesOf(templateWith(), 'AWS::CloudWatch::Alarm');
  expect(alarms.map(({ MetricName }) => MetricName).sort()).toEqual(ALARMED_METRICS);
  for (const { MetricName, Threshold, TreatMissingData } of alarms) {
    expect(TreatMissingData).toBe('notBreaching');
    // What is measured as an age may be some minutes.
    expect(Threshold).toBe(/Age/.test(MetricName) ? (MetricName === 'IteratorAge' ? 600_000 : 600) : 1);
  }
});

it.each([
  ['iam', IAM],
  ['jwt', JWT],
  ['anonymous', ANONYMOUS],
])('passes the checks of AwsSolutions, with auth=%s, and synthesises without a warning', (_, authorization) => {
  const { app, stack } = stackWith(authorization);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  const annotations = Annotations.fromStack(stack);
  expect(annotations.findError('*', Match.anyValue())).toEqual([]);
  expect(annotations.findWarning('*', Match.anyValue())).toEqual([]);
});
