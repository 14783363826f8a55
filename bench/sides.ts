import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { type IdempotencyOptions, idempotency, idempotentTransaction, type RecordStore } from '../src/index.ts';
import { dynamoDBStore, type TransactionItem } from '../src/stores/dynamodb.ts';
import { FUNCTION_NAME, KEY, RESPONSE } from './event.ts';

export type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<unknown>;
type Respond = (event: APIGatewayProxyEventV2) => unknown;

export interface SideOptions {
  readonly tableName: string;
  readonly respond?: Respond;
  /** Whether replays are kept in memory. @default false */
  readonly cache?: boolean;
}

// The peer takes the operation's name from here; so do we.
process.env['AWS_LAMBDA_FUNCTION_NAME'] ??= FUNCTION_NAME;

/** Middy and a handler, and nothing else: what is to be subtracted. */
export function bareHandler(respond: Respond = () => RESPONSE): Handler {
  return middy<APIGatewayProxyEventV2>().handler(async (event) => respond(event)) as unknown as Handler;
}

export function ourHandler(
  client: DynamoDBClient,
  { tableName, ...rest }: SideOptions,
  options: Partial<IdempotencyOptions<APIGatewayProxyEventV2>> = {},
): Handler {
  return guardedBy(dynamoDBStore({ tableName, client }), rest, options);
}

/** With any store of ours. */
export function guardedBy(
  store: RecordStore<TransactionItem>,
  { respond = () => RESPONSE, cache = false }: Omit<SideOptions, 'tableName'> = {},
  options: Partial<IdempotencyOptions<APIGatewayProxyEventV2>> = {},
): Handler {
  const cached = cache ? { cache: { maxEntries: 1000 } } : {};
  return middy<APIGatewayProxyEventV2>()
    .use(idempotency<APIGatewayProxyEventV2>({ store, key: KEY, ...cached, ...options }))
    .handler(async (event) => respond(event)) as unknown as Handler;
}

/** One write of a handler's own, which must be done once. */
function orderItem(event: APIGatewayProxyEventV2) {
  return { id: String(event.headers['idempotency-key']), amount: 1999, currency: 'EUR' };
}

/** The record and that write, in one request. */
export function transactionHandler(store: RecordStore<TransactionItem>, orders: string): Handler {
  const plan = (_: unknown, event: APIGatewayProxyEventV2) => ({
    items: [{ Put: { TableName: orders, Item: orderItem(event) } }],
    response: RESPONSE,
  });
  const options = { store, operation: FUNCTION_NAME, key: KEY };
  return middy<APIGatewayProxyEventV2>().handler(
    idempotentTransaction<TransactionItem, typeof plan>(plan, options as never) as never,
  ) as unknown as Handler;
}

export function peerHandler(
  client: DynamoDBClient,
  { tableName, respond = () => RESPONSE, cache = false }: SideOptions,
): Handler {
  const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
  const config = new IdempotencyConfig({ eventKeyJmesPath: KEY, throwOnNoIdempotencyKey: true, useLocalCache: cache });
  return middy<APIGatewayProxyEventV2>()
    .use(makeHandlerIdempotent({ persistenceStore, config }))
    .handler(async (event) => respond(event)) as unknown as Handler;
}

/** The same write, between the peer's claim and its completion. */
export function peerWithPut(client: DynamoDBClient, tableName: string, orders: string): Handler {
  return peerHandler(client, {
    tableName,
    async respond(event) {
      const { id, amount, currency } = orderItem(event);
      const Item = { id: { S: id }, amount: { N: String(amount) }, currency: { S: currency } };
      await client.send(new PutItemCommand({ TableName: orders, Item }));
      return RESPONSE;
    },
  });
}
