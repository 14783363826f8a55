import type { RecordStore } from '../index.ts';
import { type PgPool, postgresSchema, postgresStore } from '../stores/postgres.ts';
import { type IoRedis, redisStore } from '../stores/redis.ts';
import type { Given } from './arguments.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import type { Report } from './report.ts';

/** An operator waits: a server that drops packets counts as unreachable. Milliseconds. */
const CONNECT_MILLIS = 3000;
const ANSWER_MILLIS = 10_000;

/** Prints the table of a store as SQL. */
export async function schema(subject: string, { table, schema: name }: Given): Promise<Report> {
  if (subject !== 'postgres') throw usageFailure('schema takes one store: postgres');
  const text = postgresSchema(namesOf({ table, schema: name } as Given));
  return { json: { schema: text }, text };
}

/** Gives `use` a store that is not DynamoDB, and closes its connections afterwards. */
export function withOtherStore<T>(name: string, given: Given, use: (store: RecordStore) => Promise<T>): Promise<T> {
  if (name === 'postgres') return withPostgres(given, use);
  if (name === 'redis') return withRedis(given, use);
  throw usageFailure('--store must be dynamodb, postgres or redis');
}

async function withPostgres<T>(given: Given, use: (store: RecordStore) => Promise<T>): Promise<T> {
  const connectionString = urlOf(given, 'DATABASE_URL');
  const { default: pg } = (await load('pg')) as { default: { Pool: new (options: object) => Pool } };
  const limits = { connectionTimeoutMillis: CONNECT_MILLIS, statement_timeout: ANSWER_MILLIS };
  const client = new pg.Pool({ connectionString, max: 1, ...limits });
  client.on('error', () => undefined);
  try {
    return await use(postgresStore({ client, ...namesOf(given) }) as RecordStore);
  } finally {
    await client.end();
  }
}

type Pool = PgPool & { on(event: 'error', listener: () => void): unknown; end(): Promise<void> };

function namesOf({ table, schema }: Given) {
  return { ...(table !== undefined && { tableName: table }), ...(schema !== undefined && { schema }) };
}

async function withRedis<T>(given: Given, use: (store: RecordStore) => Promise<T>): Promise<T> {
  const url = urlOf(given, 'REDIS_URL');
  const { Redis } = (await load('ioredis')) as { Redis: new (url: string, options: object) => Client };
  const limits = { connectTimeout: CONNECT_MILLIS, commandTimeout: ANSWER_MILLIS, maxRetriesPerRequest: 1 };
  const client = new Redis(url, limits);
  client.on('error', () => undefined);
  const keyPrefix = given['key-prefix'];
  try {
    return await use(redisStore({ client, ...(keyPrefix !== undefined && { keyPrefix }) }));
  } finally {
    client.disconnect();
  }
}

type Client = IoRedis & { on(event: 'error', listener: () => void): unknown; disconnect(): void };

/** It may have a password, so no message quotes it. */
function urlOf({ url }: Given, variable: string): string {
  const found = url ?? process.env[variable];
  if (found !== undefined && URL.canParse(found)) return found;
  throw usageFailure(`--url URL or the environment variable ${variable} is required, and must be a URL`);
}

/** The client is the user's own: a bundler must not look for it. */
async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Failure(
      EXIT.failed,
      'CLIENT_MISSING',
      `This command needs the package ${name}, which is not installed.`,
      {
        advice: `npm install ${name}`,
      },
    );
  }
}
