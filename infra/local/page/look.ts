import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { LedgerEntry } from '../../ledger/booking.ts';
import type { Ledger } from '../../ledger/dynamodb-ledger.ts';
import { OUTBOX_PREFIX } from '../../outbox/outbox.ts';
import type { Payment } from '../../payments/payment.ts';
import { type Item, toPayment } from '../../payments/payment-item.ts';
import type { ExampleTables } from '../example-tables.ts';
import type { SeenCharge } from '../watched-processor.ts';

/** What the page shows of a table. */
export interface Look {
  /** The record as it is stored. */
  record(id: string): Promise<unknown>;
  /** Those made since this time, ISO 8601. */
  payments(since: string): Promise<Payment[]>;
}

export function lookAtDynamoDB(client: DynamoDBClient, tables: ExampleTables): Look {
  const documents = DynamoDBDocumentClient.from(client);
  return {
    async record(id) {
      const { Item } = await documents.send(
        new GetCommand({ TableName: tables.idempotency, Key: { id }, ConsistentRead: true }),
      );
      return Item;
    },
    async payments(since) {
      const found: Payment[] = [];
      const pages = paginateScan(
        { client: documents },
        {
          TableName: tables.payments,
          ConsistentRead: true,
          FilterExpression: 'createdAt >= :since AND NOT begins_with(id, :outbox)',
          ExpressionAttributeValues: { ':since': since, ':outbox': OUTBOX_PREFIX },
        },
      );
      for await (const { Items = [] } of pages) found.push(...(Items as Item[]).map(toPayment));
      return found;
    },
  };
}

export interface PageState {
  readonly record: unknown;
  readonly charges: readonly SeenCharge[];
  readonly payments: readonly Payment[];
  /** Those of the payments. */
  readonly entries: readonly LedgerEntry[];
}

export interface PageSources {
  readonly look: Look;
  readonly ledger: Pick<Ledger, 'read'>;
  readonly processor: { readonly seen: readonly SeenCharge[] };
}

/** What is true now of one record, and of everything that was paid since the given time. */
export async function pageState(
  { look, ledger, processor }: PageSources,
  { recordId, since }: { readonly recordId: string | undefined; readonly since: string },
): Promise<PageState> {
  const [record, payments, entries] = await Promise.all([
    recordId === undefined ? undefined : look.record(recordId),
    look.payments(since),
    ledger.read(),
  ]);
  const ids = new Set(payments.map(({ id }) => id));
  return {
    record,
    charges: processor.seen,
    payments: payments.toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1)),
    entries: entries.filter(({ payment }) => ids.has(payment)),
  };
}
