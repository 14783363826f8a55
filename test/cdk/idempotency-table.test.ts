import { fileURLToPath } from 'node:url';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  Code,
  DockerImageCode,
  DockerImageFunction,
  Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { IdempotencyTable, type IdempotencyTableProps } from 'middy-idempotency/cdk';
import { expect, it } from 'vitest';

function synthesise(
  props?: IdempotencyTableProps,
  build: (table: IdempotencyTable, stack: Stack) => void = () => undefined,
) {
  const stack = new Stack(new App(), 'Payments', { env: { region: 'eu-central-1', account: '123456789012' } });
  build(new IdempotencyTable(stack, 'Idempotency', props), stack);
  return Template.fromStack(stack);
}

const functionOf = (stack: Stack, runtime = Runtime.NODEJS_22_X) =>
  new LambdaFunction(stack, 'Fn', {
    runtime,
    handler: 'index.handler',
    code: Code.fromAsset(fileURLToPath(new URL('.', import.meta.url))),
  });

const TABLE = 'AWS::DynamoDB::GlobalTable';

it('is the table that the store needs: key, TTL, on-demand, protected, recoverable', () => {
  const template = synthesise();
  template.hasResource(TABLE, {
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      TimeToLiveSpecification: { AttributeName: 'expiration', Enabled: true },
      BillingMode: 'PAY_PER_REQUEST',
      Replicas: [
        {
          Region: 'eu-central-1',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    },
  });
  template.resourceCountIs('AWS::KMS::Key', 0);
});

it('keeps its logical id in every release: another one would replace the table, and forget every request', () => {
  expect(Object.keys(synthesise().findResources(TABLE))).toEqual(['IdempotencyTable48612DF4']);
});

it('takes a name, tags, replicas, and less protection', () => {
  synthesise({
    tableName: 'payments-idempotency',
    deletionProtection: false,
    pointInTimeRecovery: false,
    removalPolicy: RemovalPolicy.DESTROY,
    replicaRegions: ['eu-west-1'],
    tags: { team: 'payments' },
  }).hasResource(TABLE, {
    DeletionPolicy: 'Delete',
    Properties: {
      TableName: 'payments-idempotency',
      Replicas: Match.arrayWith([
        Match.objectLike({ Region: 'eu-west-1' }),
        Match.objectLike({
          Region: 'eu-central-1',
          DeletionProtectionEnabled: false,
          Tags: [{ Key: 'team', Value: 'payments' }],
        }),
      ]),
    },
  });
});

it('grants a guarded function what the store asks of this table, and nothing else', () => {
  const template = synthesise({}, (table, stack) => table.guard(functionOf(stack)));
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem'],
          Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^IdempotencyTable'), 'Arn'] },
        },
      ],
    },
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: { Ref: Match.stringLikeRegexp('^IdempotencyTable') } } },
  });
});

it('lets a guarded function use the key that encrypts the table', () => {
  const stack = new Stack(new App(), 'Encrypted', { env: { region: 'eu-central-1' } });
  const table = new IdempotencyTable(stack, 'Idempotency', { encryptionKey: new Key(stack, 'Key') });
  table.guard(functionOf(stack));
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: Match.arrayWith(['kms:Decrypt']),
          Resource: { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] },
        }),
      ]),
    },
  });
});

it('alarms when DynamoDB throttles or fails', () => {
  const template = synthesise({}, (table) => {
    table.alarmOnThrottledWrites();
    table.alarmOnSystemErrors(undefined, { threshold: 5 });
  });
  template.resourceCountIs('AWS::CloudWatch::Alarm', 2);
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { Threshold: 5, TreatMissingData: 'notBreaching' });
  const alarms = JSON.stringify(template.findResources('AWS::CloudWatch::Alarm'));
  for (const part of ['WriteThrottleEvents', 'SystemErrors', 'PutItem']) expect(alarms).toContain(part);
});

it('refuses an imported function, and says what to do there', () => {
  synthesise({}, (table, stack) => {
    const imported = LambdaFunction.fromFunctionName(stack, 'Imported', 'payments');
    expect(() => table.guard(imported as never)).toThrow(/imported one.*IDEMPOTENCY_TABLE_NAME.*dynamodb:PutItem/s);
  });
});

it.each([Runtime.NODEJS_20_X, Runtime.PYTHON_3_12])('refuses a function on another runtime, by its name', (runtime) => {
  synthesise({}, (table, stack) => {
    expect(() => table.guard(functionOf(stack, runtime))).toThrow(`Payments/Fn runs on ${runtime.name}`);
  });
});

it.each([Runtime.NODEJS_22_X, Runtime.NODEJS_LATEST, new Runtime('nodejs24.x', Runtime.NODEJS_22_X.family)])(
  'guards a function on a runtime that is new enough',
  (runtime) => {
    synthesise({}, (table, stack) => expect(() => table.guard(functionOf(stack, runtime))).not.toThrow());
  },
);

it('guards a function that is a container image: what runs in it is its own affair', () => {
  const template = synthesise({}, (table, stack) => {
    const code = DockerImageCode.fromEcr(new Repository(stack, 'Images'));
    table.guard(new DockerImageFunction(stack, 'Image', { code }));
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    PackageType: 'Image',
    Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: Match.anyValue() } },
  });
});
