import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import type { PaymentEvent } from '../outbox/payment-event.ts';
import { ACCOUNTS, bookingOf, type LedgerEntry } from './booking.ts';

export interface Ledger {
  /** The writes that book an event: all of them in one transaction. They are refused where it is booked already. */
  booking(event: PaymentEvent): TransactionItem[];
  /** Every entry of every account. */
  read(): Promise<LedgerEntry[]>;
}

/** Entries in a DynamoDB table with the string keys `account` and `entry`. */
export function dynamoDBLedger({ tableName, client }: { tableName: string; client: DynamoDBClient }): Ledger {
  return {
    booking: (event) =>
      bookingOf(event).map((Item) => ({
        // The guard's record expires, the entry does not: an event that comes after it is refused,
        // not booked.
        Put: { TableName: tableName, Item, ConditionExpression: 'attribute_not_exists(account)' },
      })),
    async read() {
      const documents = DynamoDBDocumentClient.from(client);
      const accounts = await Promise.all(ACCOUNTS.map((account) => readAccount(documents, tableName, account)));
      return accounts.flat();
    },
  };
}

async function readAccount(documents: DynamoDBDocumentClient, tableName: string, account: LedgerEntry['account']) {
  const entries: LedgerEntry[] = [];
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: tableName,
      KeyConditionExpression: 'account = :account',
      ExpressionAttributeValues: { ':account': account },
      ConsistentRead: true,
    },
  );
  for await (const { Items = [] } of pages) entries.push(...(Items as LedgerEntry[]));
  return entries;
}
