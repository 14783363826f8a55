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
import {
  GetFunctionCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, ListQueuesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import openapi from '../../infra/payments/openapi.json' with { type: 'json' };
import { ALARMED_METRICS } from '../infra/support/alarms.ts';
import { ACCOUNT, CREDENTIALS, type Deployment, deploymentTo, type Outputs, REGION } from './cdk.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type DeployedFunction, runDeployed } from './lambda-process.ts';
import { call } from './signed-request.ts';

let aws: Emulator;
let deployment: Deployment;
let outputs: Outputs;
let config: { endpoint: string; region: string; credentials: typeof CREDENTIALS };
let dynamoDB: DynamoDBClient;
let sqs: SQSClient;

beforeAll(async () => {
  aws = await startEmulator();
  deployment = deploymentTo(aws.endpoint);
  config = { endpoint: aws.endpoint, region: REGION, credentials: CREDENTIALS };
  dynamoDB = new DynamoDBClient(config);
  sqs = new SQSClient(config);
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
/** The payments' table has the events of the outbox, too. */
const payments = async () => (await items(outputs.PaymentsTableName)).filter(({ id }) => !isEvent(id));
const events = async () => (await items(outputs.PaymentsTableName)).filter(({ id }) => isEvent(id));
const isEvent = (id: unknown) => String(id).startsWith('outbox#');
const attributesOf = async (QueueUrl: string) =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {};
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
      'LedgerDeadLettersUrl',
      'LedgerQueueUrl',
      'LedgerTableName',
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

  it('has the payments table, with TTL for its events and a stream, and the ledger, without', async () => {
    const TableName = outputs.PaymentsTableName;
    const { TimeToLiveDescription } = await dynamoDB.send(new DescribeTimeToLiveCommand({ TableName }));
    expect(TimeToLiveDescription).toMatchObject({ AttributeName: 'expiration', TimeToLiveStatus: 'ENABLED' });
    const { Table } = await dynamoDB.send(new DescribeTableCommand({ TableName }));
    expect(Table?.StreamSpecification).toMatchObject({ StreamViewType: 'NEW_IMAGE' });
    const ledger = { TableName: outputs.LedgerTableName };
    expect((await dynamoDB.send(new DescribeTableCommand(ledger))).Table?.KeySchema).toEqual([
      { AttributeName: 'account', KeyType: 'HASH' },
      { AttributeName: 'entry', KeyType: 'RANGE' },
    ]);
    const description = await dynamoDB.send(new DescribeTimeToLiveCommand(ledger));
    expect(description.TimeToLiveDescription?.TimeToLiveStatus).toBe('DISABLED');
  });

  it('has the queue of the ledger, encrypted, with its visibility timeout and its dead-letter queue', async () => {
    const deadLetters = await attributesOf(outputs.LedgerDeadLettersUrl);
    const queue = await attributesOf(outputs.LedgerQueueUrl);
    const days = (count: number) => String(count * 86_400);
    expect(queue).toMatchObject({ VisibilityTimeout: '180', MessageRetentionPeriod: days(4) });
    expect(deadLetters).toMatchObject({ MessageRetentionPeriod: days(14) });
    expect(JSON.parse(queue['RedrivePolicy'] ?? '')).toMatchObject({ deadLetterTargetArn: deadLetters['QueueArn'] });
    for (const { Policy = '', SqsManagedSseEnabled } of [queue, deadLetters]) {
      expect(SqsManagedSseEnabled).toBe('true');
      expect(Policy).toContain('aws:SecureTransport');
    }
  });

  it('has the two event source mappings, with partial batch responses', async () => {
    const { EventSourceMappings = [] } = await new LambdaClient(config).send(new ListEventSourceMappingsCommand());
    const of = (service: string) => EventSourceMappings.find((one) => one.EventSourceArn?.includes(`:${service}:`));
    expect(EventSourceMappings).toHaveLength(2);
    expect(of('dynamodb')).toMatchObject({
      BatchSize: 100,
      BisectBatchOnFunctionError: true,
      MaximumRecordAgeInSeconds: 3600,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      FilterCriteria: { Filters: [{ Pattern: expect.stringContaining('outbox#') }] },
      DestinationConfig: { OnFailure: { Destination: expect.stringContaining('UnpublishedEvents') } },
    });
    expect(of('sqs')).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] });
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
    const allowed = await allowedTo((await deployedFunction()).Configuration?.Role);
    expect(allowed).toEqual({
      [tableArn(outputs.IdempotencyTableName)]: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
      [tableArn(outputs.PaymentsTableName)]: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      [`arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/cloudformation/IdempotentPayments/FunctionLogsAE28C13D:*`]: [
        'logs:CreateLogStream',
        'logs:PutLogEvents',
      ],
      // X-Ray knows no resources.
      '*': ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'],
    });
  });

  it('lets the roles of publisher and consumer do what their code does, and nothing else', async () => {
    const { Functions = [] } = await new LambdaClient(config).send(new ListFunctionsCommand());
    const roleOf = (name: string) => Functions.find(({ FunctionName }) => FunctionName?.includes(name))?.Role;
    const serviceOf = (resource: string) => resource.replace(/^arn:aws:([a-z]+):.*:(.*)$/, '$1');
    const servicesOf = async (name: string) =>
      Object.entries(await allowedTo(roleOf(name))).map(([resource, actions]) => [serviceOf(resource), actions]);
    expect(await servicesOf('Publisher')).toEqual([
      ['logs', ['logs:CreateLogStream', 'logs:PutLogEvents']],
      ['*', ['xray:PutTelemetryRecords', 'xray:PutTraceSegments']],
      ['sqs', 'sqs:SendMessage'],
      ['sqs', ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage']],
      ['dynamodb', expect.arrayContaining(['dynamodb:GetRecords', 'dynamodb:GetShardIterator'])],
    ]);
    const consumer = await allowedTo(roleOf('LedgerConsumer'));
    expect(consumer[tableArn(outputs.LedgerTableName)]).toBe('dynamodb:PutItem');
    expect(Object.keys(consumer)).not.toContain(tableArn(outputs.PaymentsTableName));
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
    expect(MetricAlarms.map(({ MetricName }) => MetricName).sort()).toEqual(ALARMED_METRICS);
    const { DashboardBody } = await cloudWatch.send(new GetDashboardCommand({ DashboardName: outputs.DashboardName }));
    for (const metric of ['Replays', 'InFlightRejections', 'KeyReuses', 'Takeovers', 'ClaimLatency']) {
      expect(DashboardBody).toContain(metric);
    }
    const { logGroups = [] } = await new CloudWatchLogsClient(config).send(new DescribeLogGroupsCommand());
    const retentions = logGroups
      .filter(({ logGroupName }) => logGroupName?.startsWith('/aws/cloudformation/IdempotentPayments/'))
      .map(({ retentionInDays }) => retentionInDays);
    expect(retentions).toEqual([30, 30, 30, 30]);
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

  it('keeps one payment, its event, and the record of the request, in the deployed tables', async () => {
    const [payment, ...more] = await payments();
    expect(more).toEqual([]);
    expect((await events()).map(({ event }) => JSON.parse(event))).toEqual([
      expect.objectContaining({ type: 'payment-captured', payment: payment?.['id'], amount: 1999 }),
    ]);
    const records = await items(outputs.IdempotencyTableName);
    // The ledger may have its own record there by now.
    const [record, ...others] = records.filter(({ id }) => !String(id).startsWith('book-payment-event#'));
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

/**
 * The emulator runs the functions behind the stream and the queue, filters the stream, and takes partial batch responses of the
 * queue's. It does not take those of a stream's, nor does it bisect; and what becomes of a message that fails five times would
 * take a quarter of an hour. `npm run test:consumers` shows all of that.
 */
describe('the deployed pipeline', () => {
  const entries = async () => (await items(outputs.LedgerTableName)).map(({ entry, account }) => `${entry} ${account}`);

  it('books every payment that was made, on both accounts', async () => {
    const announced = (await events()).map(({ event }) => JSON.parse(event).id);
    expect(announced.length).toBeGreaterThan(1);
    const expected = announced.flatMap((id) => [`${id} receivable`, `${id} sales`]);
    await vi.waitFor(async () => expect((await entries()).toSorted()).toEqual(expected.toSorted()), WAITING);
    const amounts = (await items(outputs.LedgerTableName)).map(({ amount }) => Number(amount));
    expect(amounts.reduce((sum, amount) => sum + amount, 0)).toBe(0);
  });

  it('books nothing twice that is published twice', async () => {
    const before = await entries();
    for (const { event } of await events()) {
      await sqs.send(new SendMessageCommand({ QueueUrl: outputs.LedgerQueueUrl, MessageBody: event }));
    }
    await vi.waitFor(async () => {
      const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = await attributesOf(
        outputs.LedgerQueueUrl,
      );
      expect([ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible]).toEqual(['0', '0']);
    }, WAITING);
    expect(await entries()).toEqual(before);
    expect((await attributesOf(outputs.LedgerDeadLettersUrl))['ApproximateNumberOfMessages']).toBe('0');
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

  it('does the same without the SDK: replays what was stored with it, pays, and books', async () => {
    const [before = '', after = ''] = [randomUUID(), randomUUID()];
    const first = await call(`${outputs.Url}/payments`, { ...post(before), signed: false });
    expect(first.status, first.body).toBe(201);
    const withSdk = await consumerBytes();
    expect(await deployment.deploy('-c', 'auth=anonymous', '-c', 'transport=lite')).toEqual(outputs);
    expect(await consumerBytes()).toBeLessThan(withSdk / 2);
    const replayed = await call(`${outputs.Url}/payments`, { ...post(before), signed: false });
    expect([replayed.status, replayed.body]).toEqual([first.status, first.body]);
    const paid = await call(`${outputs.Url}/payments`, { ...post(after), signed: false });
    expect(paid.status, paid.body).toBe(201);
    const { id } = JSON.parse(paid.body);
    await vi.waitFor(async () => {
      const booked = (await items(outputs.LedgerTableName)).filter(({ payment }) => payment === id);
      expect(booked.map(({ account }) => account).sort()).toEqual(['receivable', 'sales']);
    }, WAITING);
  });

  it('destroys everything', async () => {
    await deployment.destroy();
    expect(await tableNames()).toEqual([]);
    expect((await new LambdaClient(config).send(new ListFunctionsCommand())).Functions).toEqual([]);
    expect((await new ApiGatewayV2Client(config).send(new GetApisCommand())).Items).toEqual([]);
    expect((await sqs.send(new ListQueuesCommand())).QueueUrls ?? []).toEqual([]);
    const { EventSourceMappings } = await new LambdaClient(config).send(new ListEventSourceMappingsCommand());
    expect(EventSourceMappings).toEqual([]);
  });
});

/** For what happens behind the API, in its own time. */
const WAITING = { timeout: 120_000, interval: 500 };

function tableArn(name: string): string {
  return `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
}

/** What a role may do, by resource. Nothing is attached to it. */
async function allowedTo(role: string | undefined): Promise<Record<string, string | string[]>> {
  const iam = new IAMClient(config);
  const RoleName = role?.split('/').at(-1);
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  expect(attached.AttachedPolicies).toEqual([]);
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const policies = await Promise.all(
    PolicyNames.map((PolicyName) => iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))),
  );
  const statements = policies.flatMap(
    ({ PolicyDocument = '' }) => JSON.parse(decodeURIComponent(PolicyDocument)).Statement,
  );
  return Object.fromEntries(statements.map(({ Resource, Action }) => [Resource, Action]));
}

function deployedFunction() {
  return new LambdaClient(config).send(new GetFunctionCommand({ FunctionName: outputs.FunctionName }));
}

async function consumerBytes(): Promise<number> {
  const { Functions = [] } = await new LambdaClient(config).send(new ListFunctionsCommand());
  return Functions.find(({ Description }) => Description === 'Books every payment once')?.CodeSize ?? 0;
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
