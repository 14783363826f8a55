import type { SQSRecord } from 'aws-lambda';
import { IdempotencyError } from 'middy-idempotency';
import * as events from 'middy-idempotency/events';
import { jmespath } from 'middy-idempotency/jmespath';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/request-key/identify.ts';
import { resolveRequestOptions } from '../../src/request-key/request-options.ts';
import type { Selector } from '../../src/request-key/selector.ts';
import {
  dynamoDBRecord,
  eventBridgeEvent,
  fifoRecord,
  kinesisRecord,
  mskEvent,
  pipesKinesisRecord,
  pipesMskRecords,
  pipesSelfManagedKafkaRecords,
  s3Record,
  selfManagedKafkaEvent,
  snsInSqsRecord,
  snsRecord,
  sqsRecord,
} from '../support/event-sources.ts';

const ANY = (key: (record: never) => unknown) => key as (record: unknown) => unknown;
const image = { id: { S: '1' } };
const topicMessage = snsRecord({ orderId: 1 });

/** Each source: its key as function and as JMESPath, a record, and records that are others than that. */
const SOURCES = {
  'SQS message': {
    key: ANY(events.sqsMessageKey),
    expression: events.SQS_MESSAGE_KEY,
    record: sqsRecord({ orderId: 1 }),
    others: [sqsRecord({ orderId: 1 }), { ...sqsRecord({}), eventSourceARN: 'arn:aws:sqs:eu-central-1:1:refunds' }],
    redelivered: (record: SQSRecord) => ({
      ...record,
      receiptHandle: 'AQEBanother',
      attributes: { ...record.attributes, ApproximateReceiveCount: '2' },
    }),
  },
  'SQS FIFO deduplication id': {
    key: ANY(events.sqsFifoDeduplicationKey),
    expression: events.SQS_FIFO_DEDUPLICATION_KEY,
    record: fifoRecord('a', { orderId: 1 }),
    others: [fifoRecord('b', { orderId: 1 }), fifoRecord('a', { orderId: 2 })],
    redelivered: (record: SQSRecord) => ({ ...record, messageId: 'sent again an hour later' }),
  },
  'body of an SQS message': {
    key: ANY(events.sqsBodyKey('[tenant, orderId]')),
    expression: 'powertools_json(body).[tenant, orderId]',
    record: sqsRecord({ tenant: 't', orderId: 1, note: 'a' }),
    others: [sqsRecord({ tenant: 't', orderId: 2 }), sqsRecord({ tenant: 'u', orderId: 1 })],
    redelivered: () => sqsRecord({ orderId: 1, tenant: 't' }),
  },
  'SNS message': {
    key: ANY(events.snsMessageKey),
    expression: events.SNS_MESSAGE_KEY,
    record: topicMessage,
    others: [snsRecord({ orderId: 1 })],
    redelivered: (record: object) => ({ ...record, EventSubscriptionArn: 'another' }),
  },
  'SNS message in SQS': {
    key: ANY(events.snsInSqsMessageKey),
    expression: events.SNS_IN_SQS_MESSAGE_KEY,
    record: snsInSqsRecord(topicMessage),
    others: [snsInSqsRecord(snsRecord({ orderId: 1 }))],
    redelivered: () => snsInSqsRecord(topicMessage),
  },
  'Kinesis record': {
    key: ANY(events.kinesisRecordKey),
    expression: events.KINESIS_RECORD_KEY,
    record: kinesisRecord({ orderId: 1 }, 1),
    others: [kinesisRecord({ orderId: 1 }, 2), { ...kinesisRecord({}, 1), eventSourceARN: 'another' }],
    redelivered: (record: object) => ({ ...record }),
  },
  'DynamoDB Streams record': {
    key: ANY(events.dynamoDBStreamRecordKey),
    expression: events.DYNAMODB_STREAM_RECORD_KEY,
    record: dynamoDBRecord(image, 1),
    others: [dynamoDBRecord(image, 2), { ...dynamoDBRecord(image, 1), eventSourceARN: 'another' }],
    redelivered: (record: object) => ({ ...record }),
  },
  'EventBridge event': {
    key: ANY(events.eventBridgeEventKey),
    expression: events.EVENTBRIDGE_EVENT_KEY,
    record: eventBridgeEvent({ orderId: 1 }),
    others: [eventBridgeEvent({ orderId: 1 })],
    redelivered: (record: object) => ({ ...record }),
  },
  'S3 record': {
    key: ANY(events.s3RecordKey),
    expression: jmespath(events.S3_RECORD_KEY),
    record: s3Record(),
    others: [
      s3Record({ key: 'another' }),
      s3Record({ versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko' }),
      s3Record({ sequencer: '0C0F6F405D6ED209E2' }),
      { ...s3Record(), eventName: 'ObjectRemoved:Delete' },
      { ...s3Record(), s3: { ...s3Record().s3, bucket: { ...s3Record().s3.bucket, arn: 'arn:aws:s3:::others' } } },
    ],
    redelivered: (record: object) => ({ ...record, eventTime: '2019-09-03T19:40:00.000Z' }),
  },
  'Kafka record': {
    key: ANY(events.kafkaRecordKey),
    expression: events.KAFKA_RECORD_KEY,
    record: events.kafkaRecords(mskEvent())[0],
    others: [
      ...events.kafkaRecords(mskEvent()).slice(1),
      ...events.kafkaRecords(selfManagedKafkaEvent()),
      // The topic was deleted and made anew.
      { ...events.kafkaRecords(mskEvent())[0], timestamp: 1_800_000_000_000 },
    ],
    redelivered: () => events.kafkaRecords(mskEvent())[0],
  },
};

const cases = Object.entries(SOURCES);
const idOf = (key: Selector<never>, record: unknown) => {
  const options = resolveRequestOptions({ key, operation: 'test' });
  return identify(options, 'test', [record])?.id;
};

describe.each(cases)('the key of a %s', (name, { key, expression, record, others, redelivered }) => {
  // `onMissingKey: 'run'` must not let a record pass that is none of its source.
  const refusal = name.startsWith('body') ? 'KEY_MISSING' : 'KEY_INVALID';

  it('is the same as a function and as JMESPath', () => {
    expect(idOf(key, record)).toBe(idOf(expression, record));
  });

  it('is the same when the record is delivered again', () => {
    const again = (redelivered as (one: unknown) => unknown)(structuredClone(record));
    expect(idOf(key, again)).toBe(idOf(key, record));
    expect(idOf(expression, again)).toBe(idOf(key, record));
  });

  it('differs from the keys of other records', () => {
    for (const select of [key, expression]) {
      const ids = [record, ...others].map((one) => idOf(select, one));
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('has no blanks: a record with an empty part of it is refused', () => {
    for (const blank of partsOf(record, key, '')) {
      expect(() => idOf(key, blank)).toThrow(expect.objectContaining({ code: refusal }));
      expect(() => idOf(expression, blank)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
    }
  });

  it('has no gap: a record without a part of it is refused', () => {
    const removals = partsOf(record, key);
    expect(removals.length).toBeGreaterThan(0);
    for (const without of removals) {
      expect(() => idOf(key, without)).toThrow(expect.objectContaining({ code: refusal }));
      expect(() => idOf(expression, without)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
    }
  });
});

/** The same record, each time without one of the parts that its key has, or with another in its place. */
function partsOf(record: unknown, key: (record: unknown) => unknown, instead?: unknown): unknown[] {
  const parts = key(record) as readonly unknown[];
  return parts.filter((part) => part !== 'null').map((part) => exchanged(record, part, instead));
}

function exchanged(value: unknown, part: unknown, instead: unknown): unknown {
  if (value === part) return instead;
  if (typeof value === 'string' && value.startsWith('{')) {
    return JSON.stringify(exchanged(JSON.parse(value), part, instead));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, exchanged(member, part, instead)]));
}

const SHAPES = {
  ...Object.fromEntries(cases.map(([name, { record }]) => [name, record])),
  'SQS message of a FIFO queue': fifoRecord('a', {}),
  'SQS message that is no JSON': sqsRecord('hello'),
  'raw Kafka record': mskEvent().records['orders-0']?.[0],
  'whole event of SQS': { Records: [sqsRecord({})] },
  'whole event of Kafka': mskEvent(),
  'HTTP request': { version: '2.0', rawPath: '/', headers: {}, requestContext: { accountId: '1' } },
  'payload of EventBridge Scheduler': { orderId: 1 },
  nothing: undefined,
  null: null,
  text: 'text',
  number: 7,
  list: [],
};

describe.each(cases)('a record that is no %s', (name, { key, expression }) => {
  const isMessage = (shape: string) => shape.includes('SQS') && !shape.startsWith('whole');
  const accepted: Record<string, (shape: string) => boolean> = {
    'SQS message': isMessage,
    'SQS FIFO deduplication id': (shape) => shape.includes('FIFO'),
  };
  const shapes = Object.entries(SHAPES).filter(([shape]) => shape !== name && accepted[name]?.(shape) !== true);

  it.each(shapes)('but a %s is refused with a typed error, never given a shared key', (_, shape) => {
    expect(() => idOf(key, shape)).toThrow(
      expect.objectContaining({ name: expect.stringMatching(/^Idempotency/), statusCode: 400 }),
    );
  });

  it.each(shapes)('but a %s never shares a key with another record by the expression either', (shape, record) => {
    let id: string | undefined;
    try {
      id = idOf(expression, record);
    } catch (error) {
      expect(error).toBeInstanceOf(IdempotencyError);
      return;
    }
    // Kinesis and DynamoDB Streams are told apart by the stream's ARN, which is in both keys.
    expect([name, shape].sort()).toEqual(['DynamoDB Streams record', 'Kinesis record']);
    expect(id).toBe(idOf(SOURCES[shape as 'Kinesis record'].key, record));
  });
});

describe('the key of an SQS message by its body', () => {
  const key = events.sqsBodyKey('orderId');

  it('is the same when a middleware has parsed the body', () => {
    const record = sqsRecord({ orderId: 1 });
    expect(idOf(key, { ...record, body: { orderId: 1 } })).toBe(idOf(key, record));
  });

  it.each(['', 'hello', '7', 'null', '"text"', '{'])('is refused when the body is %j', (body) => {
    expect(() => idOf(key, sqsRecord(body))).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
  });

  it.each([{}, { orderId: null }, { orderId: '' }])('is missing when the body is %j', (body) => {
    expect(() => idOf(key, sqsRecord(body))).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  });

  it('is missing when a hash within it has a gap', () => {
    const nested = events.sqsBodyKey('{order: {tenant: tenant, id: orderId}}');
    expect(() => idOf(nested, sqsRecord({ orderId: 1 }))).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  });

  it('is refused at construction when the expression is none', () => {
    expect(() => events.sqsBodyKey('orderId[')).toThrow(TypeError);
  });

  it('may be any expression, and a function of the body', () => {
    const legacy = { tenant: 't', legacyId: 1 };
    const record = sqsRecord(legacy);
    const same = idOf(events.sqsBodyKey('[tenant, legacyId]'), record);
    expect(idOf(events.sqsBodyKey(jmespath('[tenant, orderId || legacyId]')), record)).toBe(same);
    expect(
      idOf(
        events.sqsBodyKey((body) => Object.values(body as typeof legacy)),
        record,
      ),
    ).toBe(same);
  });
});

describe('the key of an SNS message in SQS', () => {
  it('is that of the same message without the queue, also when a middleware has parsed the body', () => {
    const direct = idOf(events.snsMessageKey, topicMessage);
    const record = snsInSqsRecord(topicMessage);
    expect(idOf(events.snsInSqsMessageKey, record)).toBe(direct);
    expect(idOf(events.snsInSqsMessageKey, { ...record, body: JSON.parse(record.body) })).toBe(direct);
  });
});

describe('the key of an SNS message in SQS, of what is no message of a topic', () => {
  it.each(['SubscriptionConfirmation', 'UnsubscribeConfirmation'])('is refused: %s', (Type) => {
    const record = snsInSqsRecord(topicMessage);
    const body = { ...JSON.parse(record.body), Type };
    expect(() => idOf(events.snsInSqsMessageKey, { ...record, body })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    );
  });
});

describe('the records of a Kafka event', () => {
  it('keep their order within a partition, and know their cluster', () => {
    const { eventSourceArn } = mskEvent();
    expect(
      events.kafkaRecords(mskEvent()).map(({ cluster, partition, offset }) => [cluster, partition, offset]),
    ).toEqual([
      [eventSourceArn, 0, 0],
      [eventSourceArn, 0, 1],
      [eventSourceArn, 1, 0],
    ]);
  });

  it('have the same keys whatever the order of the bootstrap servers', () => {
    const event = selfManagedKafkaEvent();
    const reordered = { ...event, bootstrapServers: event.bootstrapServers.split(',').reverse().join(',') };
    const ids = (one: typeof event) => events.kafkaRecords(one).map((record) => idOf(events.kafkaRecordKey, record));
    expect(ids(reordered)).toEqual(ids(event));
  });

  it.each([
    undefined,
    { Records: [] },
    { eventSource: 'aws:kafka', records: {} },
    { ...mskEvent(), records: { a: 1 } },
  ])('are not read from %j', (event) =>
    expect(() => events.kafkaRecords(event as never)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' })),
  );
});

describe('a record that EventBridge Pipes deliver', () => {
  const kinesis = kinesisRecord({ orderId: 1 }, 1);
  const [sqs, fifo, change] = [sqsRecord({ orderId: 1 }), fifoRecord('a', {}), dynamoDBRecord(image, 1)];

  it.each<[string, Selector<never>, unknown, unknown]>([
    ['SQS', ANY(events.sqsMessageKey), { ...sqs }, sqs],
    ['SQS', events.SQS_MESSAGE_KEY, { ...sqs }, sqs],
    ['SQS FIFO', ANY(events.sqsFifoDeduplicationKey), { ...fifo }, fifo],
    ['Kinesis', ANY(events.kinesisRecordKey), pipesKinesisRecord(kinesis), kinesis],
    ['Kinesis', events.KINESIS_RECORD_KEY, pipesKinesisRecord(kinesis), kinesis],
    ['DynamoDB Streams', ANY(events.dynamoDBStreamRecordKey), { ...change }, change],
  ])('from %s has the key that it has without them', (_, key, delivered, record) => {
    expect(idOf(key, delivered)).toBe(idOf(key, record));
  });

  it.each([
    ['Amazon MSK', mskEvent(), pipesMskRecords()],
    ['a self-managed Kafka', selfManagedKafkaEvent(), pipesSelfManagedKafkaRecords()],
  ])('from %s has the key that it has without them', (_, event, delivered) => {
    const direct = events.kafkaRecords(event).map((record) => idOf(events.kafkaRecordKey, record));
    expect(delivered.map((record) => idOf(events.kafkaRecordKey, record))).toEqual(direct);
    for (const key of [ANY(events.kafkaRecordKey), events.KAFKA_RECORD_KEY]) {
      expect(events.kafkaRecords(delivered).map((record) => idOf(key, record))).toEqual(direct);
    }
  });

  it.each([
    ['no cluster', { eventSourceArn: '' }],
    ['another source', { eventSource: 'aws:sqs' }],
    ['no partition', { partition: '' }],
    ['a partition that is no number', { partition: ' ' }],
    ['no offset', { offset: undefined }],
  ])('and has %s, is refused', (_, change) => {
    const records = pipesMskRecords().map((record) => ({ ...record, ...change }));
    const ids = () => events.kafkaRecords(records as never).map((record) => idOf(events.kafkaRecordKey, record));
    expect(ids).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    expect(() => idOf(ANY(events.kafkaRecordKey), records[0])).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    );
  });
});

it('records that were put into one of Kinesis and taken out of it have keys of their own', () => {
  const record = kinesisRecord({ orderId: 1 }, 1);
  const keys = [0, 1].map((subSequenceNumber) =>
    events.kinesisRecordKey({ ...record, kinesis: { ...record.kinesis, subSequenceNumber } }),
  );
  expect(keys[0]).not.toEqual(keys[1]);
  expect(keys[0]).not.toEqual(events.kinesisRecordKey(record));
  const delivered = { ...pipesKinesisRecord(record), subSequenceNumber: 0 };
  expect(events.kinesisRecordKey(delivered), 'by EventBridge Pipes').toEqual(keys[0]);
  const broken = { ...record, kinesis: { subSequenceNumber: 'x' as never } };
  expect(events.kinesisRecordKey(broken)).toEqual([...events.kinesisRecordKey(record), 'x']);
  expect(() => events.kinesisRecordKey({ ...record, kinesis: { subSequenceNumber: null as never } })).toThrow(
    'identified',
  );
});
