import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { ApiGatewayV2Client, GetApisCommand, GetRoutesCommand } from '@aws-sdk/client-apigatewayv2';
import { CloudWatchClient, DescribeAlarmsCommand, GetDashboardCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import {
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import { GetFunctionCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import openapi from '../../infra/payments/openapi.json' with { type: 'json' };
import { ACCOUNT, CREDENTIALS, type Deployment, deploymentTo, type Outputs, REGION } from './cdk.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type DeployedFunction, runDeployed } from './lambda-process.ts';
import { call } from './signed-request.ts';

let aws: Emulator;
let deployment: Deployment;
let outputs: Outputs;
let config: { endpoint: string; region: string; credentials: typeof CREDENTIALS };
let dynamoDB: DynamoDBClient;

beforeAll(async () => {
  aws = await startEmulator();
  deployment = deploymentTo(aws.endpoint);
  config = { endpoint: aws.endpoint, region: REGION, credentials: CREDENTIALS };
  dynamoDB = new DynamoDBClient(config);
});
afterAll(async () => {
  deployment?.cleanUp();
  await aws?.stop();
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.log(`The emulator's last lines:\n${aws.output().slice(-4000)}`);
});

const payment = { amount: 1999, currency: 'EUR', source: 'tok_visa' };
const post = (key: string, body: object = payment) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'idempotency-key': key },
  body: JSON.stringify(body),
});
const items = async (tableName: string) => {
  const { Items = [] } = await DynamoDBDocumentClient.from(dynamoDB).send(new ScanCommand({ TableName: tableName }));
  return Items;
};
const tableNames = async () => (await dynamoDB.send(new ListTablesCommand())).TableNames;

describe('cdk bootstrap and cdk deploy', () => {
  it('bootstraps the account', async () => {
    expect(await deployment.bootstrap()).toContain('bootstrapped');
  });

  it('deploys the stack as it stands', async () => {
    outputs = await deployment.deploy();
    expect(Object.keys(outputs).sort()).toEqual([
      'DashboardName',
      'FunctionName',
      'IdempotencyTableName',
      'PaymentsTableName',
      'Url',
    ]);
  });
});

describe('what exists', () => {
  it('has the idempotency table: key id, TTL on expiration, on demand, recoverable', async () => {
    const table = { TableName: outputs.IdempotencyTableName };
    const { Table } = await dynamoDB.send(new DescribeTableCommand(table));
    expect(Table).toMatchObject({
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      TableStatus: 'ACTIVE',
    });
    const { TimeToLiveDescription } = await dynamoDB.send(new DescribeTimeToLiveCommand(table));
    expect(TimeToLiveDescription).toMatchObject({ AttributeName: 'expiration', TimeToLiveStatus: 'ENABLED' });
    const { ContinuousBackupsDescription } = await dynamoDB.send(new DescribeContinuousBackupsCommand(table));
    expect(ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe('ENABLED');
  });

  it('has the payments table, without TTL', async () => {
    const table = { TableName: outputs.PaymentsTableName };
    const { TimeToLiveDescription } = await dynamoDB.send(new DescribeTimeToLiveCommand(table));
    expect(TimeToLiveDescription?.TimeToLiveStatus).toBe('DISABLED');
  });

  it('has the function, with its runtime, timeout, environment and tracing', async () => {
    const { Configuration } = await deployedFunction();
    expect(Configuration).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: 15,
      MemorySize: 512,
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogFormat: 'JSON' },
      Environment: {
        Variables: {
          IDEMPOTENCY_TABLE_NAME: outputs.IdempotencyTableName,
          PAYMENTS_TABLE_NAME: outputs.PaymentsTableName,
          PAYMENTS_SCOPE: 'verified',
        },
      },
    });
  });

  it('lets the role do what the code does, on its own tables, and nothing else', async () => {
    const iam = new IAMClient(config);
    const RoleName = (await deployedFunction()).Configuration?.Role?.split('/').at(-1);
    const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
    expect(attached.AttachedPolicies).toEqual([]);
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    const policies = await Promise.all(
      PolicyNames.map((PolicyName) => iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))),
    );
    const statements = policies.flatMap(
      ({ PolicyDocument = '' }) => JSON.parse(decodeURIComponent(PolicyDocument)).Statement,
    );
    const table = (name: string) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
    const allowed = Object.fromEntries(statements.map(({ Resource, Action }) => [Resource, Action]));
    expect(allowed).toEqual({
      [table(outputs.IdempotencyTableName)]: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
      [table(outputs.PaymentsTableName)]: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/cloudformation/IdempotentPayments/FunctionLogsAE28C13D:*`]: [
        'logs:CreateLogStream',
        'logs:PutLogEvents',
      ],
      // X-Ray knows no resources.
      '*': ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    });
  });

  it('has the API with the routes of the OpenAPI document, each for signed requests only', async () => {
    const api = new ApiGatewayV2Client(config);
    const { Items: apis = [] } = await api.send(new GetApisCommand());
    const { Items: routes = [] } = await api.send(new GetRoutesCommand({ ApiId: apis[0]?.ApiId }));
    const documented = Object.entries(openapi.paths).flatMap(([path, operations]) =>
      Object.keys(operations)
        .filter((name) => name !== 'parameters')
        .map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.map(({ RouteKey }) => RouteKey).sort()).toEqual(documented.sort());
    expect(new Set(routes.map(({ AuthorizationType }) => AuthorizationType))).toEqual(new Set(['AWS_IAM']));
  });

  it('has the alarms, the dashboard, and logs that end after a month', async () => {
    const cloudWatch = new CloudWatchClient(config);
    const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand());
    expect(MetricAlarms.map(({ MetricName }) => MetricName).sort()).toEqual([
      '5xx',
      'Errors',
      'FailedClaims',
      'FailedCompletions',
      'LostLeases',
      'SystemErrors',
      'WriteThrottleEvents',
    ]);
    const { DashboardBody } = await cloudWatch.send(new GetDashboardCommand({ DashboardName: outputs.DashboardName }));
    for (const metric of ['Replays', 'InFlightRejections', 'KeyReuses', 'Takeovers', 'ClaimLatency']) {
      expect(DashboardBody).toContain(metric);
    }
    const { logGroups = [] } = await new CloudWatchLogsClient(config).send(new DescribeLogGroupsCommand());
    const retentions = logGroups
      .filter(({ logGroupName }) => logGroupName?.startsWith('/aws/cloudformation/IdempotentPayments/'))
      .map(({ retentionInDays }) => retentionInDays);
    expect(retentions).toEqual([30, 30]);
  });
});

describe('the code package as it was uploaded, in a plain Node process', () => {
  let fn: DeployedFunction;
  const key = `deployed-${randomUUID()}`;

  beforeAll(async () => {
    const { Configuration = {}, Code } = await deployedFunction();
    const location = new URL(Code?.Location ?? '');
    location.host = new URL(aws.endpoint).host;
    const zip = new Uint8Array(await (await fetch(location)).arrayBuffer());
    fn = await runDeployed(zip, Configuration, {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: aws.endpoint,
    });
  });
  afterAll(() => fn?.stop());

  it('holds the code and its source map, and nothing else', () => {
    expect(readdirSync(fn.folder).sort()).toEqual(['index.mjs', 'index.mjs.map']);
  });

  it('makes a payment, and replays it to a retry', async () => {
    const first = await fn.invoke(gatewayEvent(key));
    expect(first).toMatchObject({ statusCode: 201, headers: { etag: '"v1"' } });
    const retry = await fn.invoke(gatewayEvent(key));
    expect(retry).toMatchObject({ statusCode: 201, headers: { 'Idempotent-Replayed': 'true' } });
    expect((retry as { body: string }).body).toBe((first as { body: string }).body);
  });

  it('keeps one payment, and the record of the request, in the deployed tables', async () => {
    expect(await items(outputs.PaymentsTableName)).toHaveLength(1);
    const [record, ...others] = await items(outputs.IdempotencyTableName);
    expect(others).toEqual([]);
    expect(record).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    expect(record?.['id']).toMatch(/^create-payment#/);
    expect(record?.['expiration']).toBeGreaterThan(Date.now() / 1000 + 6 * 86_400);
  });

  it('logs each of them on a line that is a metric of CloudWatch, too', () => {
    const lines = fn.lines.map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual(['claimed', 'completed', 'replayed']);
    expect(lines[2]).toMatchObject({
      functionName: outputs.FunctionName,
      Replays: 1,
      _aws: { CloudWatchMetrics: [{ Namespace: 'MiddyIdempotency', Dimensions: [['functionName']] }] },
    });
  });

  it('refuses a request that nobody has verified', async () => {
    const { requestContext, ...event } = gatewayEvent('nobody');
    const { authorizer: _, ...unverified } = requestContext;
    expect(await fn.invoke({ ...event, requestContext: unverified })).toMatchObject({ statusCode: 500 });
  });
});

describe('the deployed API', () => {
  it('refuses a request that is not signed', async () => {
    expect((await call(`${outputs.Url}/payments`, { ...post('unsigned'), signed: false })).status).toBe(403);
  });

  it('takes a signed payment, replays it to a retry, and refuses its key with another payload', async () => {
    const key = `over-http-${randomUUID()}`;
    const first = await call(`${outputs.Url}/payments`, { ...post(key), signed: true });
    expect(first.status, first.body).toBe(201);
    const retry = await call(`${outputs.Url}/payments`, { ...post(key), signed: true });
    expect(retry).toMatchObject({ status: 201, headers: { 'idempotent-replayed': 'true' }, body: first.body });
    const other = await call(`${outputs.Url}/payments`, { ...post(key, { ...payment, amount: 500 }), signed: true });
    expect(other.status).toBe(422);
    const read = await call(`${outputs.Url}${first.headers.location}`, { signed: true });
    expect(read).toMatchObject({ status: 200, body: first.body });
  });
});

describe('an update, and the end', () => {
  it('opens the API to anybody only when it is told to, and keeps the tables and what is in them', async () => {
    const before = await items(outputs.IdempotencyTableName);
    const updated = await deployment.deploy('-c', 'auth=anonymous');
    expect(updated).toEqual(outputs);
    expect(await items(outputs.IdempotencyTableName)).toEqual(before);
    const answer = await call(`${outputs.Url}/payments`, { ...post(`anonymous-${randomUUID()}`), signed: false });
    expect(answer.status, answer.body).toBe(201);
  });

  it('destroys everything', async () => {
    await deployment.destroy();
    expect(await tableNames()).toEqual([]);
    expect((await new LambdaClient(config).send(new ListFunctionsCommand())).Functions).toEqual([]);
    expect((await new ApiGatewayV2Client(config).send(new GetApisCommand())).Items).toEqual([]);
  });
});

function deployedFunction() {
  return new LambdaClient(config).send(new GetFunctionCommand({ FunctionName: outputs.FunctionName }));
}

/** What the API makes of a signed request (payload format 2.0). */
function gatewayEvent(key: string) {
  return {
    version: '2.0',
    routeKey: 'POST /payments',
    rawPath: '/payments',
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, host: 'api.example' },
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'api',
      authorizer: { iam: { userArn: `arn:aws:iam::${ACCOUNT}:user/shop` } },
      domainName: 'api.example',
      http: { method: 'POST', path: '/payments', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: randomUUID(),
      routeKey: 'POST /payments',
      stage: '$default',
      timeEpoch: Date.now(),
    },
    body: JSON.stringify(payment),
    isBase64Encoded: false,
  };
}
