import type { SQSRecord } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { compileSelector, missing, type Selector } from '../request-key/selector.ts';
import { notFrom, type SourceKey, sourceKey } from './source-key.ts';

const SQS = 'Amazon SQS';

/** What of an SQS record its key needs: a record whose body has been parsed will do. */
export type SqsMessage = Pick<SQSRecord, 'eventSource' | 'eventSourceARN' | 'messageId'>;

/**
 * A message of a queue, standard or FIFO: its queue and its message id. As JMESPath: {@link SQS_MESSAGE_KEY}.
 *
 * Catches: the message delivered again, because its visibility timeout ended, or because its
 * deletion or its batch failed. A standard queue may also have a copy left ("Amazon SQS
 * at-least-once delivery").
 * Does not catch: a producer that sends twice, and a redrive from a dead-letter queue. Both are new
 * messages with new ids ("Learn how to configure a dead-letter queue redrive in Amazon SQS").
 * {@link sqsBodyKey} catches both.
 *
 * Retention: longer than the queue's own, which is 4 days by default and 14 at most ("Amazon SQS message quotas").
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape
 */
export function sqsMessageKey(record: SqsMessage): SourceKey {
  const { eventSource, eventSourceARN, messageId } = fields(record);
  return sourceKey(SQS, eventSource === 'aws:sqs', { eventSourceARN, messageId });
}

/** {@link sqsMessageKey} as JMESPath. */
export const SQS_MESSAGE_KEY = '[eventSourceARN, messageId]';

/** What of a FIFO record its deduplication key needs. */
export type SqsFifoMessage = SqsMessage & {
  readonly attributes: Pick<SQSRecord['attributes'], 'MessageGroupId' | 'MessageDeduplicationId'>;
};

/**
 * A message of a FIFO queue by its producer's word: queue, message group and deduplication id. Use
 * it ONLY if the producer never uses a deduplication id for two messages, however far apart. SQS
 * forgets an id after 5 minutes, so two messages may have the same one. With content-based
 * deduplication two equal bodies always have ("Amazon SQS FIFO queue key terms"). The second
 * message would be taken for the first, and lost. When in doubt: {@link sqsMessageKey}. The group
 * is part of the key because a queue may deduplicate by group ("High throughput for FIFO queues").
 * As JMESPath: {@link SQS_FIFO_DEDUPLICATION_KEY}.
 *
 * Catches: what `sqsMessageKey` does, and a producer that sends again later than those 5 minutes.
 * Does not catch: a redrive, for which SQS has replaced the deduplication id by the message's id.
 *
 * Retention: longer than the queue's, and than the time after which a producer may still send again.
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape, one of a standard queue included
 */
export function sqsFifoDeduplicationKey(record: SqsFifoMessage): SourceKey {
  const { eventSource, eventSourceARN, attributes } = fields(record);
  const { MessageGroupId, MessageDeduplicationId } = fields(attributes);
  return sourceKey(SQS, eventSource === 'aws:sqs', { eventSourceARN, MessageGroupId, MessageDeduplicationId });
}

/** {@link sqsFifoDeduplicationKey} as JMESPath. */
export const SQS_FIFO_DEDUPLICATION_KEY =
  '[eventSourceARN, attributes.MessageGroupId, attributes.MessageDeduplicationId]';

/**
 * What the message is about: a business key in its JSON body, `sqsBodyKey('[tenant, orderId]')`. It
 * selects what `powertools_json(body).…` selects, and also reads a body that a middleware has
 * parsed.
 *
 * Catches: every delivery, a producer that sends twice, a redrive, the same message through another queue.
 * Does not catch: two messages about one thing that differ in the key. Two different messages with
 * one key are one: give a `fingerprint` of the body, so that the second is refused instead of
 * dropped.
 *
 * Retention: longer than the queue's and its dead-letter queue's together, because a redrive begins
 * anew with both. Longer, too, than the time after which a producer may still send again.
 *
 * @param key a path over the body, `jmespath('…')`, or a function of the body
 * @throws TypeError at construction when the path is none
 * @throws IdempotencyError `KEY_INVALID`, when called, for a record of another shape or a body that is no JSON object
 */
export function sqsBodyKey(key: Selector): (record: SqsMessageWithBody) => unknown {
  const selector = compileSelector('key', key);
  return (record) => {
    const { eventSource, body } = fields(record);
    if (eventSource !== 'aws:sqs') throw notFrom(SQS, `It does not look like one of ${SQS}`);
    const selected = selector.select([jsonBody(body)]);
    return missing(selected, selector.hashDepth, selector.isFunction) === undefined ? selected : null;
  };
}

/** An SQS record, its body parsed or not. */
export type SqsMessageWithBody = Pick<SQSRecord, 'eventSource'> & { readonly body: unknown };

/** @throws IdempotencyError `KEY_INVALID` when it is no JSON object */
export function jsonBody(body: unknown): object {
  try {
    const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // The parser's message would quote the body.
  }
  throw notFrom(SQS, 'Its body is no JSON object');
}
