import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { RecordStore } from '../../src/index.ts';
import { dynamoDBStore, type TransactionItem } from '../../src/stores/dynamodb.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { liteStore } from '../lib/lite-store.ts';
import { CALL_HEADER } from './asked.ts';
import { noting } from './redis-database.ts';
import { MAX_ATTEMPTS, REQUEST_TIMEOUT_MILLIS } from './terms.ts';

export const STORES = ['sdk', 'lite', 'postgres', 'redis'] as const;
export type StoreName = (typeof STORES)[number];

interface Setup {
  readonly store: StoreName;
  /** `undefined` without the SDK. */
  readonly client: DynamoDBClient | undefined;
  readonly endpoint: string;
  readonly tableName: string;
}

/** The store that the guards use. Each request to DynamoDB says in a header for which call it is sent. */
export function storeOf({ store, client, endpoint, tableName }: Setup, currentCall: () => string) {
  if (store === 'postgres') return inSql(endpoint, tableName);
  if (store === 'redis') return inRedis(endpoint);
  if (client === undefined) {
    const limits = { maxAttempts: MAX_ATTEMPTS, answerMillis: REQUEST_TIMEOUT_MILLIS };
    return liteStore({ endpoint, tableName, ...limits }, ({ headers }, send) => {
      headers[CALL_HEADER] = currentCall();
      return send();
    });
  }
  client.middlewareStack.add(
    (next) => async (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers[CALL_HEADER] = currentCall();
      return next(args);
    },
    { step: 'build' },
  );
  return dynamoDBStore({ client, tableName });
}

const CONNECTIONS = 16;

function inSql(connectionString: string, tableName: string): RecordStore<TransactionItem> {
  const limits = { connectionTimeoutMillis: REQUEST_TIMEOUT_MILLIS, query_timeout: 2 * REQUEST_TIMEOUT_MILLIS };
  const client = new pg.Pool({ connectionString, max: CONNECTIONS, ...limits });
  client.on('error', () => undefined);
  return postgresStore({ client, tableName }) as RecordStore as RecordStore<TransactionItem>;
}

/** A connection that is cut or delayed holds up all that go through it: there are several. */
function inRedis(endpoint: string): RecordStore<TransactionItem> {
  const limits = { commandTimeout: 2 * REQUEST_TIMEOUT_MILLIS, socketTimeout: 2 * REQUEST_TIMEOUT_MILLIS };
  const clients = Array.from({ length: CONNECTIONS }, () => {
    const client = new Redis(endpoint, { maxRetriesPerRequest: 2, retryStrategy: () => 50, ...limits });
    return client.on('error', () => undefined);
  });
  let turn = 0;
  const client = {
    evalsha: () => Promise.reject(new Error('NOSCRIPT: each script is sent as a whole, with what notes its change')),
    eval: (lua: string, keys: number, ...all: string[]) =>
      clients[turn++ % CONNECTIONS]?.eval(noting(lua), keys, ...all) as Promise<unknown>,
  };
  return redisStore({ client, acknowledgeFailover: true }) as RecordStore as RecordStore<TransactionItem>;
}
