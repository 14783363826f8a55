import type { SNSEventRecord } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { type SourceKey, sourceKey } from './source-key.ts';
import { jsonBody, type SqsMessageWithBody } from './sqs.ts';

const SNS = 'Amazon SNS';

/** What of an SNS record its key needs. */
export type SnsMessage = Pick<SNSEventRecord, 'EventSource'> & {
  readonly Sns: Pick<SNSEventRecord['Sns'], 'TopicArn' | 'MessageId'>;
};

/**
 * A message of a topic that invokes the function: topic and message id. As JMESPath: {@link SNS_MESSAGE_KEY}.
 *
 * Catches: SNS delivering again, and Lambda's own retries of the asynchronous invocation.
 * Does not catch: a publisher that publishes twice: a new message id. Take a business key from `Sns.Message` for that.
 *
 * Retention: SNS tries for 23 days ("Amazon SNS message delivery retries"), then Lambda for up to 6 hours ("How Lambda
 * handles errors and retries with asynchronous invocation").
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape
 */
export function snsMessageKey(record: SnsMessage): SourceKey {
  const { EventSource, Sns } = fields(record);
  const { TopicArn, MessageId } = fields(Sns);
  return sourceKey(SNS, EventSource === 'aws:sns', { TopicArn, MessageId });
}

/** {@link snsMessageKey} as JMESPath. */
export const SNS_MESSAGE_KEY = 'Sns.[TopicArn, MessageId]';

/**
 * A message of a topic that came through a queue, without raw message delivery: the same topic and message id, from the
 * body. As JMESPath, of a body that is still text: {@link SNS_IN_SQS_MESSAGE_KEY}.
 *
 * Catches: SNS delivering to the queue twice, the queue delivering twice, and a redrive, as the body stays the same.
 * Does not catch: a publisher that publishes twice.
 *
 * With raw message delivery SNS's ids are not there: `sqsMessageKey` or `sqsBodyKey`.
 *
 * Retention: SNS's 23 days, the queue's and its dead-letter queue's together.
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape
 */
export function snsInSqsMessageKey(record: SqsMessageWithBody): SourceKey {
  const { eventSource, body } = fields(record);
  const isFromQueue = eventSource === 'aws:sqs';
  const { Type, TopicArn, MessageId } = fields(isFromQueue ? jsonBody(body) : undefined);
  return sourceKey(`${SNS} through Amazon SQS`, isFromQueue && Type === 'Notification', { TopicArn, MessageId });
}

/** {@link snsInSqsMessageKey} as JMESPath. */
export const SNS_IN_SQS_MESSAGE_KEY = 'powertools_json(body).[TopicArn, MessageId]';
