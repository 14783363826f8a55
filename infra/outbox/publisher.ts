import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { outboxEventText } from './outbox.ts';

export interface PublisherOptions {
  readonly client: SQSClient;
  readonly queueUrl: string;
}

/**
 * Sends the outbox's events from the stream of the payments table to a queue, at least once. A
 * publisher that dies after sending sends again. It needs no guard of its own: every consumer
 * recognises an event by its id.
 */
export function createPublisher({ client, queueUrl }: PublisherOptions) {
  const processor = new BatchProcessor(EventType.DynamoDBStreams);
  const publish = async (record: DynamoDBRecord): Promise<void> => {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: outboxEventText(record) }));
  };
  return (event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> =>
    processPartialResponse(event, publish, processor, { context });
}
