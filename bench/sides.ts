import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { type IdempotencyOptions, idempotency } from '../src/index.ts';
import { dynamoDBStore } from '../src/stores/dynamodb.ts';
import { FUNCTION_NAME, KEY, RESPONSE } from './event.ts';

export type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<unknown>;

export interface SideOptions {
  readonly tableName: string;
  readonly respond?: () => unknown;
  /** Whether replays are kept in memory. @default false */
  readonly cache?: boolean;
}

// The peer takes the operation's name from here; so do we.
process.env['AWS_LAMBDA_FUNCTION_NAME'] ??= FUNCTION_NAME;

/** Middy and a handler, and nothing else: what is to be subtracted. */
export function bareHandler(respond: (event: APIGatewayProxyEventV2) => unknown = () => RESPONSE): Handler {
  return middy<APIGatewayProxyEventV2>().handler(async (event) => respond(event)) as unknown as Handler;
}

export function ourHandler(
  client: DynamoDBClient,
  { tableName, respond = () => RESPONSE, cache = false }: SideOptions,
  options: Partial<IdempotencyOptions<APIGatewayProxyEventV2>> = {},
): Handler {
  const store = dynamoDBStore({ tableName, client });
  const cached = cache ? { cache: { maxEntries: 1000 } } : {};
  return middy<APIGatewayProxyEventV2>()
    .use(idempotency<APIGatewayProxyEventV2>({ store, key: KEY, ...cached, ...options }))
    .handler(async () => respond()) as unknown as Handler;
}

export function peerHandler(
  client: DynamoDBClient,
  { tableName, respond = () => RESPONSE, cache = false }: SideOptions,
): Handler {
  const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
  const config = new IdempotencyConfig({ eventKeyJmesPath: KEY, throwOnNoIdempotencyKey: true, useLocalCache: cache });
  return middy<APIGatewayProxyEventV2>()
    .use(makeHandlerIdempotent({ persistenceStore, config }))
    .handler(async () => respond()) as unknown as Handler;
}
