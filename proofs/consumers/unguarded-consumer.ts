import { randomUUID } from 'node:crypto';
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { bookingOf } from '../../infra/ledger/booking.ts';
import { parsePaymentEvent } from '../../infra/outbox/payment-event.ts';

/** The ledger's consumer as one would write it without a guard: every delivery is a booking. */
const documents = DynamoDBDocumentClient.from(new DynamoDBClient());
const processor = new BatchProcessor(EventType.SQS);

async function book({ body }: SQSRecord): Promise<void> {
  const TableName = process.env['LEDGER_TABLE_NAME'];
  const entries = bookingOf(parsePaymentEvent(body)).map((entry) => ({ ...entry, entry: randomUUID() }));
  await documents.send(
    new TransactWriteCommand({ TransactItems: entries.map((Item) => ({ Put: { TableName, Item } })) }),
  );
}

export const handler = (event: SQSEvent, context: Context) =>
  processPartialResponse(event, book, processor, { context });
