/**
 * What identifies a record of each event source of Lambda: as functions for the option `key`, which refuse a record of
 * another source, and as JMESPath expressions, which select the same. With each stands which duplicates its key catches, and
 * how long records must be kept (`retentionSeconds`): longer than the source can deliver again.
 */
export { EVENTBRIDGE_EVENT_KEY, eventBridgeEventKey } from './eventbridge.ts';
export { KAFKA_RECORD_KEY, type KafkaRecord, kafkaRecordKey, kafkaRecords } from './kafka.ts';
export { S3_RECORD_KEY, s3RecordKey } from './s3.ts';
export { SNS_IN_SQS_MESSAGE_KEY, SNS_MESSAGE_KEY, type SnsMessage, snsInSqsMessageKey, snsMessageKey } from './sns.ts';
export type { SourceKey } from './source-key.ts';
export {
  SQS_FIFO_DEDUPLICATION_KEY,
  SQS_MESSAGE_KEY,
  type SqsFifoMessage,
  type SqsMessage,
  type SqsMessageWithBody,
  sqsBodyKey,
  sqsFifoDeduplicationKey,
  sqsMessageKey,
} from './sqs.ts';
export {
  DYNAMODB_STREAM_RECORD_KEY,
  type DynamoDBStreamRecord,
  dynamoDBStreamRecordKey,
  KINESIS_RECORD_KEY,
  type KinesisRecord,
  kinesisRecordKey,
} from './streams.ts';
