import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';

/** A payment that was made, as it is stored and as it is shown. */
export interface Payment {
  readonly id: string;
  /** In the currency's minor unit. */
  readonly amount: number;
  readonly currency: string;
  readonly status: 'succeeded';
  /** The charge at the processor. */
  readonly chargeId: string;
  /** When the card was charged, ISO 8601. */
  readonly createdAt: string;
}

/** Where payments live. */
export interface Payments {
  /** Writes the payment. The same payment may be written twice. */
  save(payment: Payment): Promise<void>;
  find(id: string): Promise<Payment | undefined>;
}

/** Payments in a DynamoDB table with the string partition key `id`. */
export function dynamoDBPayments({ tableName, client }: { tableName: string; client: DynamoDBClient }): Payments {
  const documents = DynamoDBDocumentClient.from(client);
  return {
    async save(payment) {
      await documents.send(new PutCommand({ TableName: tableName, Item: payment }));
    },
    async find(id) {
      // Who was told 201 must find the payment at once.
      const { Item } = await documents.send(
        new GetCommand({ TableName: tableName, Key: { id }, ConsistentRead: true }),
      );
      if (Item === undefined) return undefined;
      const { amount, currency, status, chargeId, createdAt } = Item as Payment;
      return { id, amount, currency, status, chargeId, createdAt };
    },
  };
}
