import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import type { PaymentEvent } from '../outbox/payment-event.ts';
import { ACCOUNTS, type LedgerEntry, type LedgerReader } from './booking.ts';
import { bookingWrites } from './booking-writes.ts';

export interface Ledger extends LedgerReader {
  /** The writes that book an event: all of them in one transaction. They are refused where it is booked already. */
  booking(event: PaymentEvent): TransactionItem[];
}

/** Entries in a DynamoDB table with the string keys `account` and `entry`. */
export function dynamoDBLedger({ tableName, client }: { tableName: string; client: DynamoDBClient }): Ledger {
  return {
    booking: (event) => bookingWrites(tableName, event),
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
