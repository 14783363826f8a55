import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type IdempotencyHandle, idempotent, type RecordStore } from 'middy-idempotency';
import { sqsBodyKey } from 'middy-idempotency/events';

export interface DispatcherOptions {
  readonly store: RecordStore<never>;
  readonly client: LambdaClient;
  /** With a version or an alias: a durable function is invoked by one. */
  readonly functionName: string;
}

/**
 * A function that is not durable, between a queue and a durable one: it starts one execution for each order. The name of the
 * execution is derived from the order, so that Lambda recognises a second start, too.
 */
export function dispatcher({ store, client, functionName }: DispatcherOptions) {
  const start = async ({ body }: SQSRecord, _context: Context, { deriveKey }: IdempotencyHandle): Promise<void> => {
    await client.send(
      new InvokeCommand({
        FunctionName: functionName,
        InvocationType: 'Event',
        DurableExecutionName: deriveKey('execution'),
        Payload: body,
      }),
    );
  };
  const startOnce = idempotent(start, {
    store,
    operation: 'start-fulfilment',
    key: sqsBodyKey('id'),
    fingerprint: 'body',
    passHandle: true,
    retentionSeconds: 29 * 86_400, // longer than the queue and its dead-letter queue can deliver again
  });
  const processor = new BatchProcessor(EventType.SQS);
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processPartialResponse(event, startOnce, processor, { context });
}
