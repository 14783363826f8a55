import { randomUUID } from 'node:crypto';
import { DeleteTableCommand, DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, inject } from 'vitest';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { createTable, type TableSchema } from '../../tools/tables.ts';

const configs = new WeakMap<object, DynamoDBClientConfig>();

export function localClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  const whole = { endpoint: inject('dynamoDBEndpoint'), ...LOCAL_ACCESS, ...config };
  const client = new DynamoDBClient(whole);
  configs.set(client, whole);
  return client;
}

/** What a client of `localClient` was made with; `undefined` for any other client. */
export function configOf(client: object): DynamoDBClientConfig | undefined {
  return configs.get(client);
}

/** A table of this test file's own, made before its tests and dropped after them. */
export function useTable(schema: Partial<TableSchema> = {}): {
  readonly tableName: string;
  readonly client: DynamoDBClient;
} {
  const tableName = `test-${randomUUID()}`;
  const client = localClient();
  beforeAll(() => createTable(client, { partitionKey: 'id', ttlAttribute: 'expiration', ...schema, tableName }));
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName: tableName }));
    client.destroy();
  });
  return { tableName, client };
}
