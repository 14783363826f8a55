import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import { OUTBOX_PREFIX } from '../../outbox/outbox.ts';
import type { ExampleTables } from '../example-tables.ts';
import type { Look, SeenPayment } from './look.ts';

export function lookAtDynamoDB(client: DynamoDBClient, tables: ExampleTables): Look {
  const documents = DynamoDBDocumentClient.from(client);
  return {
    async record(id) {
      const get = new GetCommand({ TableName: tables.idempotency, Key: { id }, ConsistentRead: true });
      return (await documents.send(get)).Item;
    },
    async payments(since) {
      const found: SeenPayment[] = [];
      const pages = paginateScan(
        { client: documents },
        {
          TableName: tables.payments,
          ConsistentRead: true,
          FilterExpression: 'createdAt >= :since AND NOT begins_with(id, :outbox)',
          ExpressionAttributeValues: { ':since': since, ':outbox': OUTBOX_PREFIX },
        },
      );
      for await (const { Items = [] } of pages) found.push(...(Items as SeenPayment[]));
      return found;
    },
  };
}
