import { createHash, randomUUID } from 'node:crypto';
import type {
  DynamoDBRecord,
  EventBridgeEvent,
  KinesisStreamRecord,
  MSKEvent,
  S3EventRecord,
  SelfManagedKafkaEvent,
  SNSEventRecord,
  SQSRecord,
} from 'aws-lambda';
import type { PipesKafkaRecord } from 'middy-idempotency/events';

/** Records in the shapes that the AWS Lambda Developer Guide shows for each event source. */

const QUEUE_ARN = 'arn:aws:sqs:eu-central-1:123456789012:orders';
const TOPIC_ARN = 'arn:aws:sns:eu-central-1:123456789012:orders';

/** "Using Lambda with Amazon SQS". */
export function sqsRecord(body: unknown, changes: Partial<SQSRecord> = {}): SQSRecord {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    messageId: randomUUID(),
    receiptHandle: `AQEB${randomUUID()}`,
    body: text,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1545082649183',
      SenderId: 'AIDAIENQZJOLO23YVJ4VO',
      ApproximateFirstReceiveTimestamp: '1545082649185',
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(text).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: QUEUE_ARN,
    awsRegion: 'eu-central-1',
    ...changes,
  };
}

/** "Using Lambda with Amazon SQS", FIFO queue message event. */
export function fifoRecord(group: string, body: unknown, changes: Partial<SQSRecord['attributes']> = {}): SQSRecord {
  const record = sqsRecord(body, { eventSourceARN: `${QUEUE_ARN}.fifo` });
  return {
    ...record,
    attributes: {
      ...record.attributes,
      SequenceNumber: '18849496460467696128',
      MessageGroupId: group,
      MessageDeduplicationId: createHash('sha256').update(record.body).digest('hex'),
      ...changes,
    },
  };
}

/** "Process Amazon Kinesis Data Streams records with Lambda". */
export function kinesisRecord(data: unknown, position: number): KinesisStreamRecord {
  const sequenceNumber = `4959033827149025660855969253836157109592157598913658889${position}`;
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: '1',
      sequenceNumber,
      data: Buffer.from(JSON.stringify(data)).toString('base64'),
      approximateArrivalTimestamp: 1545084650.987,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000006:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::123456789012:role/lambda-role',
    awsRegion: 'eu-central-1',
    eventSourceARN: 'arn:aws:kinesis:eu-central-1:123456789012:stream/lambda-stream',
  };
}

/** "Using AWS Lambda with Amazon DynamoDB". */
export function dynamoDBRecord(image: NonNullable<DynamoDBRecord['dynamodb']>['NewImage'], position: number) {
  return {
    eventID: createHash('md5').update(String(position)).digest('hex'),
    eventVersion: '1.1',
    dynamodb: {
      ApproximateCreationDateTime: 1545084650,
      Keys: { id: { S: String(position) } },
      NewImage: image,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      SequenceNumber: `11100000000000${position}`,
      SizeBytes: 26,
    },
    awsRegion: 'eu-central-1',
    eventName: 'INSERT',
    eventSourceARN: 'arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2024-06-10T19:26:16.525',
    eventSource: 'aws:dynamodb',
  } satisfies DynamoDBRecord;
}

/** "Invoking Lambda functions with Amazon SNS notifications". */
export function snsRecord(message: unknown): SNSEventRecord {
  return {
    EventVersion: '1.0',
    EventSubscriptionArn: `${TOPIC_ARN}:21be56ed-a058-49f5-8c98-aedd2564c486`,
    EventSource: 'aws:sns',
    Sns: {
      SignatureVersion: '1',
      Timestamp: '2019-01-02T12:45:07.000Z',
      Signature: 'tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j',
      SigningCertUrl: 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-ac565b8b1a6c5d00.pem',
      MessageId: randomUUID(),
      Message: JSON.stringify(message),
      MessageAttributes: {},
      Type: 'Notification',
      UnsubscribeUrl: 'https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe',
      TopicArn: TOPIC_ARN,
      Subject: 'order',
    },
  };
}

/** "Fanout to Amazon SQS queues": the body of the message, without raw message delivery. */
export function snsInSqsRecord({ Sns }: SNSEventRecord): SQSRecord {
  const { Type, MessageId, TopicArn, Subject, Message, Timestamp, SignatureVersion, Signature } = Sns;
  return sqsRecord({ Type, MessageId, TopicArn, Subject, Message, Timestamp, SignatureVersion, Signature });
}

/** "Event message structure", S3. */
export function s3Record(changes: Partial<S3EventRecord['s3']['object']> = {}): S3EventRecord {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'eu-central-1',
    eventTime: '2019-09-03T19:37:27.192Z',
    eventName: 'ObjectCreated:Put',
    userIdentity: { principalId: 'AWS:AIDAINPONIXQXHT3IKHL2' },
    requestParameters: { sourceIPAddress: '205.255.255.255' },
    responseElements: {
      'x-amz-request-id': 'D82B88E5F771F645',
      'x-amz-id-2': 'vlR7PnpV2Ce81l0PRw6jlUpck7Jo5ZsQjryTjKlc5aLWGVHPZLj5',
    },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: '828aa6fc-f7b5-4305-8584-487c791949c1',
      bucket: { name: 'invoices', ownerIdentity: { principalId: 'A3I5XTEXAMAI3E' }, arn: 'arn:aws:s3:::invoices' },
      object: {
        key: 'b21b84d653bb07b05b1e6b33684dc11b',
        size: 1305107,
        eTag: 'b21b84d653bb07b05b1e6b33684dc11b',
        sequencer: '0C0F6F405D6ED209E1',
        ...changes,
      },
    },
  };
}

/** "AWS service events delivered via EventBridge: event structure". */
export function eventBridgeEvent(detail: unknown): EventBridgeEvent<string, unknown> {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'OrderPlaced',
    source: 'shop.orders',
    account: '123456789012',
    time: '2024-06-10T19:26:16Z',
    region: 'eu-central-1',
    resources: [],
    detail,
  };
}

const KAFKA_SERVERS = 'b-2.demo.c2.kafka.example.com:9092,b-1.demo.c2.kafka.example.com:9092';

/** "Using Lambda with Amazon MSK". */
export function mskEvent(): MSKEvent {
  const record = (partition: number, offset: number) => ({
    topic: 'orders',
    partition,
    offset,
    timestamp: 1545084650987 + offset,
    timestampType: 'CREATE_TIME' as const,
    key: 'a2V5',
    value: 'eyJvcmRlcklkIjoiMSJ9',
    headers: [],
  });
  return {
    eventSource: 'aws:kafka',
    eventSourceArn:
      'arn:aws:kafka:eu-central-1:123456789012:cluster/vpc-2priv-2pub/751d2973-a626-431c-9d4e-d7975eb44dd7-2',
    bootstrapServers: KAFKA_SERVERS,
    records: { 'orders-0': [record(0, 0), record(0, 1)], 'orders-1': [record(1, 0)] },
  };
}

/** "Using Lambda with self-managed Apache Kafka". */
export function selfManagedKafkaEvent(): SelfManagedKafkaEvent {
  const { bootstrapServers, records } = mskEvent();
  return { eventSource: 'SelfManagedKafka', bootstrapServers, records };
}

/** "Amazon Kinesis stream as a source in EventBridge Pipes". */
export function pipesKinesisRecord({ kinesis, ...record }: KinesisStreamRecord) {
  return { ...kinesis, ...record };
}

/** "Amazon Managed Streaming for Apache Kafka topic as a source in EventBridge Pipes": the partition is a text there. */
export function pipesMskRecords({ eventSource, eventSourceArn, records } = mskEvent()): PipesKafkaRecord[] {
  return Object.entries(records).flatMap(([eventSourceKey, list]) =>
    list.map((record) => ({
      eventSource,
      eventSourceArn,
      eventSourceKey,
      ...record,
      partition: String(record.partition),
    })),
  );
}

/** "Apache Kafka streams as a source in EventBridge Pipes". The servers may have the scheme of the pipe's source. */
export function pipesSelfManagedKafkaRecords(event = selfManagedKafkaEvent()): PipesKafkaRecord[] {
  const { eventSource, bootstrapServers, records } = event;
  return Object.entries(records).flatMap(([eventSourceKey, list]) =>
    list.map((record) => ({ ...record, bootstrapServers: `smk://${bootstrapServers}`, eventSource, eventSourceKey })),
  );
}
