import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Feature } from './features.ts';
import type { Order, Tables } from './terms.ts';

/** Effects that are in DynamoDB: how often they are there. */
export async function findEffects(
  client: DynamoDBClient,
  tables: Tables,
  { name }: Feature,
  { id }: Order,
  prepared: string | undefined,
): Promise<Readonly<Record<string, number>>> {
  const documents = DynamoDBDocumentClient.from(client);
  switch (name) {
    case 'transact':
    case 'transact, answer lost, then refused':
    case 'idempotentTransaction':
    case 'idempotentTransaction, its plan reads':
    case 'idempotentTransaction, answer lost, then refused': {
      const { Item } = await documents.send(
        new GetCommand({ TableName: tables.accounts, Key: { id }, ConsistentRead: true }),
      );
      return { deposit: Item?.['balance'] ?? 0 };
    }
    case 'POST /payments': {
      const { Count } = await documents.send(
        new ScanCommand({
          TableName: tables.payments,
          FilterExpression: 'metadata.#order = :id',
          ExpressionAttributeNames: { '#order': 'order' },
          ExpressionAttributeValues: { ':id': id },
          ConsistentRead: true,
        }),
      );
      return { payment: Count ?? 0 };
    }
    case 'POST /refunds': {
      const Key = { id: JSON.parse(prepared ?? '') };
      const { Item } = await documents.send(new GetCommand({ TableName: tables.payments, Key, ConsistentRead: true }));
      const refunds = Object.values((Item?.['refunds'] ?? {}) as Record<string, { readonly paidOutAt?: string }>);
      return {
        // By the money, not by the entries.
        refund: (Item?.['amountRefunded'] ?? 0) / 500,
        'note of the payout': refunds.filter(({ paidOutAt }) => paidOutAt !== undefined).length,
      };
    }
    case 'DELETE /payments': {
      const Key = { id: JSON.parse(prepared ?? '') };
      const { Item } = await documents.send(new GetCommand({ TableName: tables.payments, Key, ConsistentRead: true }));
      return { void: Item?.['status'] === 'voided' && Item['version'] === 3 ? 1 : 0 };
    }
    default:
      return {};
  }
}
