/**
 * The keys of Lambda's event sources. Each is a function for the option `key`, which refuses a
 * record of another source, and a JMESPath expression, which selects the same. Each says which
 * duplicates its key catches, and how long records must be kept (`retentionSeconds`): longer than
 * the source can deliver again.
 *
 * The records that EventBridge Pipes take from SQS, Kinesis, DynamoDB Streams and Kafka have the same keys.
 */
export { EVENTBRIDGE_EVENT_KEY, eventBridgeEventKey } from './eventbridge.ts';
export { KAFKA_RECORD_KEY, type KafkaRecord, kafkaRecordKey, kafkaRecords, type PipesKafkaRecord } from './kafka.ts';
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
