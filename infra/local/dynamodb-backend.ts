import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { LOCAL_ACCESS, localDynamoDB } from '../../tools/clients.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { dynamoDBLedger } from '../ledger/dynamodb-ledger.ts';
import { OUTBOX_PREFIX } from '../outbox/outbox.ts';
import { dynamoDBPayments } from '../payments/dynamodb-payments.ts';
import { type Backend, type Log, type PipelineBackend, starting } from './backend.ts';
import { type ExampleTables, ensureTables, streamArnOf } from './example-tables.ts';
import { lookAtDynamoDB } from './page/look-at-dynamodb.ts';
import { pollStream } from './stream-source.ts';

const TABLES: ExampleTables = {
  idempotency: 'local-payments-idempotency',
  payments: 'local-payments',
  ledger: 'local-ledger',
};

/** DynamoDB Local, the one of `DYNAMODB_ENDPOINT` or one of its own. */
export async function startDynamoDBBackend(log: Log): Promise<Backend<TransactionItem>> {
  const given = process.env['DYNAMODB_ENDPOINT'];
  const first = given ? `Waiting for DynamoDB at ${given}` : 'Starting DynamoDB Local';
  const { endpoint, stop } = await starting(log, 'DynamoDB', first, startDynamoDBLocal);
  const client = localDynamoDB(endpoint);
  const { idempotency, payments, ledger } = TABLES;
  await ensureTables(client, TABLES);
  return {
    tables: `${idempotency} (the records), ${payments} and ${ledger}`,
    store: dynamoDBStore({ tableName: idempotency, client }),
    payments: dynamoDBPayments({ tableName: payments, client }),
    ledger: dynamoDBLedger({ tableName: ledger, client }),
    pipeline: await dynamoDBPipeline({ endpoint, client, tables: TABLES }),
    killedPayments: new URL('killed/dynamodb-payments.ts', import.meta.url),
    look: lookAtDynamoDB(client, TABLES),
    show(recordId) {
      const { region, credentials } = LOCAL_ACCESS;
      const access = `AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}`;
      const table = `--table ${idempotency} --region ${region} --endpoint ${endpoint}`;
      // A profile of the person's own would come before these credentials.
      return `AWS_PROFILE= ${access} npx middy-idempotency show '${recordId}' ${table}`;
    },
    stop,
  };
}

/** The stream of the payments table, and the functions of the stack. */
export async function dynamoDBPipeline({
  endpoint,
  client,
  tables,
}: {
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly tables: ExampleTables;
}): Promise<PipelineBackend> {
  const streamArn = await streamArnOf(client, tables.payments);
  return {
    environment: {
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      IDEMPOTENCY_TABLE_NAME: tables.idempotency,
      PAYMENTS_TABLE_NAME: tables.payments,
      LEDGER_TABLE_NAME: tables.ledger,
    },
    publisher: new URL('../outbox/handler.ts', import.meta.url),
    consumer: new URL('../ledger/handler.ts', import.meta.url),
    pollOutbox(options) {
      const streams = new DynamoDBStreamsClient({ endpoint, ...LOCAL_ACCESS });
      const { stop } = pollStream({ client: streams, streamArn, filter: isOutboxEvent, ...options });
      return { stop: () => stop().finally(() => streams.destroy()) };
    },
  };
}

/** As the filter of the deployed event source mapping has it. */
function isOutboxEvent({ eventName, dynamodb }: DynamoDBRecord): boolean {
  return eventName === 'INSERT' && dynamodb?.Keys?.['id']?.S?.startsWith(OUTBOX_PREFIX) === true;
}
