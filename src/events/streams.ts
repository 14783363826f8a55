import type { DynamoDBRecord, KinesisStreamRecord } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { type SourceKey, sourceKey } from './source-key.ts';

/**
 * What of a Kinesis record its key needs: a record whose data have been parsed will do, and one as EventBridge Pipes deliver
 * it.
 */
export type KinesisRecord = Pick<KinesisStreamRecord, 'eventSource' | 'eventSourceARN' | 'eventID'> & {
  /**
   * With `subSequenceNumber` where the record was taken out of an aggregate of the producer's
   * library.
   */
  readonly kinesis?: object;
};

/**
 * A record of a Kinesis data stream: the stream, and the event id, which is shard id and sequence number. As JMESPath:
 * {@link KINESIS_RECORD_KEY}.
 *
 * Catches: a batch, or the part of it from a failed record on, that Lambda reads again. It also
 * catches a new event source mapping that begins with the oldest records.
 * Does not catch: a producer that puts a record twice, with two sequence numbers ("Handle duplicate
 * records"). Neither does it catch a change between the stream and an enhanced fan-out consumer,
 * which has an ARN of its own. Take a business key,
 * `powertools_json(powertools_base64(kinesis.data)).orderId`, for both.
 *
 * Records of an aggregate of the Kinesis Producer Library have the aggregate's event id. Leave
 * `kinesis.subSequenceNumber` in the records that you take out of it: each then has a key of its
 * own. The JMESPath does not read it.
 *
 * Retention: longer than the stream's, which is 24 hours by default and 365 days at most ("Change the data retention
 * period"), or than `MaximumRecordAgeInSeconds`.
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape
 */
export function kinesisRecordKey(record: KinesisRecord): SourceKey {
  const { eventSource, eventSourceARN, eventID, kinesis } = fields(record);
  // In a record of EventBridge Pipes, the members of `kinesis` are members of the record.
  const { subSequenceNumber } = fields(kinesis ?? record);
  return sourceKey('Amazon Kinesis Data Streams', eventSource === 'aws:kinesis', {
    eventSourceARN,
    eventID,
    ...(subSequenceNumber !== undefined && { subSequenceNumber }),
  });
}

/** {@link kinesisRecordKey} as JMESPath. */
export const KINESIS_RECORD_KEY = '[eventSourceARN, eventID]';

/** What of a record of a table's stream its key needs: one whose images have been unmarshalled will do. */
export type DynamoDBStreamRecord = Pick<DynamoDBRecord, 'eventSource' | 'eventSourceARN' | 'eventID'>;

/**
 * A change of an item, from a table's stream: the stream and the event id. As JMESPath: {@link DYNAMODB_STREAM_RECORD_KEY}.
 * The stream's ARN has the time of its creation in it, so that a table's next stream has other keys.
 *
 * Catches: a batch, or the part of it from a failed record on, that Lambda reads again. The stream itself has every
 * change once ("Change data capture for DynamoDB Streams").
 * Does not catch: a writer that writes twice, and the same change in the stream of another replica
 * of a global table.
 *
 * Retention: longer than the stream's 24 hours.
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape
 */
export function dynamoDBStreamRecordKey(record: DynamoDBStreamRecord): SourceKey {
  const { eventSource, eventSourceARN, eventID } = fields(record);
  return sourceKey('Amazon DynamoDB Streams', eventSource === 'aws:dynamodb', { eventSourceARN, eventID });
}

/** {@link dynamoDBStreamRecordKey} as JMESPath. */
export const DYNAMODB_STREAM_RECORD_KEY = '[eventSourceARN, eventID]';
