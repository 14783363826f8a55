import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { RecordStore } from '../index.ts';
import type { DynamoDBStoreOptions, dynamoDBStore } from '../stores/dynamodb.ts';
import type { Given } from './arguments.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { withOtherStore } from './other-stores.ts';

/**
 * Gives `use` the store, and closes its connections afterwards. The SDK is loaded here, so that a
 * command without a table works without it.
 */
export async function withStore<T>(given: Given, use: (store: RecordStore) => Promise<T>): Promise<T> {
  const { store = 'dynamodb' } = given;
  if (store !== 'dynamodb') return withOtherStore(store, given, use);
  const options = { ...storeOptions(given), ...(await codecOf(given)) };
  return withClient(given, (client, makeStore) => use(makeStore({ ...options, client })));
}

/** Gives `use` a client of DynamoDB, and closes its connections afterwards. */
export async function withClient<T>(
  given: Given,
  use: (client: DynamoDBClient, makeStore: typeof dynamoDBStore) => Promise<T>,
): Promise<T> {
  const loaded = await load();
  const client = new loaded.DynamoDBClient(clientConfig(given));
  try {
    return await use(client, loaded.dynamoDBStore);
  } finally {
    client.destroy();
  }
}

function storeOptions({ table, attributes, 'sort-key': sortKey }: Given): DynamoDBStoreOptions {
  if (table === undefined || table === '') throw usageFailure('--table NAME is required');
  return {
    tableName: table,
    ...(attributes !== undefined && { attributes: parseAttributes(attributes) }),
    ...(sortKey !== undefined && { sortKey: parseSortKey(sortKey) }),
  };
}

function parseAttributes(json: string): NonNullable<DynamoDBStoreOptions['attributes']> {
  let attributes: unknown;
  try {
    attributes = JSON.parse(json);
  } catch {
    // The failure below says so.
  }
  if (typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes)) return attributes;
  throw usageFailure('--attributes must be a JSON object, such as {"id":"pk","expiration":"ttl"}');
}

function parseSortKey(text: string): { name: string; value: string } {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw usageFailure('--sort-key must be NAME=VALUE');
  return { name, value };
}

/** @throws Failure when the module cannot be loaded: a response must not be stored without the codec that hides it */
async function codecOf({ codec: file }: Given): Promise<Pick<DynamoDBStoreOptions, 'codec'>> {
  if (file === undefined) return {};
  let module: Record<string, unknown>;
  try {
    module = await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    throw usageFailure(`--codec ${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (module['default'] === undefined) throw usageFailure(`--codec ${file} has no default export`);
  return { codec: module['default'] as NonNullable<DynamoDBStoreOptions['codec']> };
}

function clientConfig({ region, endpoint }: Given): DynamoDBClientConfig {
  if (endpoint !== undefined && !URL.canParse(endpoint)) throw usageFailure('--endpoint must be a URL');
  return {
    // An operator waits: an endpoint that drops packets counts as unreachable.
    requestHandler: { connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true },
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  };
}

async function load() {
  try {
    const [sdk, stores] = await Promise.all([import('@aws-sdk/client-dynamodb'), import('../stores/dynamodb.ts')]);
    return { ...sdk, ...stores };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@aws-sdk/')) throw error;
    throw new Failure(EXIT.failed, 'SDK_MISSING', 'This command needs the AWS SDK, which is not installed.', {
      advice: 'npm install @aws-sdk/client-dynamodb @aws-sdk/lib-dynamodb',
    });
  }
}
