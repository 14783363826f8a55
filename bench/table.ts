import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { LOCAL_ACCESS } from '../tools/clients.ts';
import { createTable } from '../tools/tables.ts';

/** DynamoDB Local, and an idempotency table for each subject. */
export interface Local {
  readonly endpoint: string;
  client(config?: DynamoDBClientConfig): DynamoDBClient;
  /** A new table, as both packages expect it. */
  table(name: string): Promise<string>;
}

export function localAt(endpoint: string): Local {
  const client = (config: DynamoDBClientConfig = {}) =>
    new DynamoDBClient({
      endpoint,
      ...LOCAL_ACCESS,
      ...config,
    });
  return {
    endpoint,
    client,
    async table(name) {
      const tableName = `bench-${name}-${process.pid}`;
      const admin = client();
      await createTable(admin, { tableName, partitionKey: 'id', ttlAttribute: 'expiration' });
      admin.destroy();
      return tableName;
    },
  };
}
