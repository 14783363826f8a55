import { expect, it } from 'vitest';
import { allowedTo, arn, logAndTrace, propertiesOf, templateWith } from './support/stack.ts';

const template = templateWith();
const queue = (id: string) => template.findResources('AWS::SQS::Queue')[id]?.['Properties'];
const fn = (id: string) => template.findResources('AWS::Lambda::Function')[id]?.['Properties'];

it('has a stream of the payments as they are after a change, and none of the ledger', () => {
  const tables = template.findResources('AWS::DynamoDB::GlobalTable');
  expect(tables['Payments130453D3']?.['Properties'].StreamSpecification).toEqual({ StreamViewType: 'NEW_IMAGE' });
  expect(tables['LedgerB7379752']?.['Properties']).toMatchObject({
    KeySchema: [
      { AttributeName: 'account', KeyType: 'HASH' },
      { AttributeName: 'entry', KeyType: 'RANGE' },
    ],
  });
  expect(tables['LedgerB7379752']?.['Properties'].StreamSpecification).toBeUndefined();
});

it('publishes new events only, in parts that failed, and gives up where somebody sees it', () => {
  const [source] = propertiesOf(template, 'AWS::Lambda::EventSourceMapping').filter(
    ({ FilterCriteria }) => FilterCriteria,
  );
  expect(source).toEqual({
    FunctionName: { Ref: 'PublisherF0355618' },
    EventSourceArn: arn('Payments130453D3', 'StreamArn'),
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 100,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 1000,
    MaximumRecordAgeInSeconds: 3600,
    DestinationConfig: { OnFailure: { Destination: arn('UnpublishedEvents9B6C9933') } },
    FilterCriteria: { Filters: [{ Pattern: expect.any(String) }] },
  });
  expect(JSON.parse(source.FilterCriteria.Filters[0].Pattern)).toEqual({
    eventName: ['INSERT'],
    dynamodb: { Keys: { id: { S: [{ prefix: 'outbox#' }] } } },
  });
});

it('books from a queue whose messages come again after six timeouts, and end in its dead-letter queue', () => {
  const [source] = propertiesOf(template, 'AWS::Lambda::EventSourceMapping').filter((one) => !one.FilterCriteria);
  expect(source).toEqual({
    FunctionName: { Ref: 'LedgerConsumer86F474BC' },
    EventSourceArn: arn('LedgerQueue842A8811'),
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
  });
  const { VisibilityTimeout, MessageRetentionPeriod, RedrivePolicy } = queue('LedgerQueue842A8811');
  expect(VisibilityTimeout).toBeGreaterThanOrEqual(6 * fn('LedgerConsumer86F474BC').Timeout);
  expect(RedrivePolicy).toEqual({ deadLetterTargetArn: arn('LedgerDeadLetters76DE1346'), maxReceiveCount: 5 });
  expect(queue('LedgerDeadLetters76DE1346').MessageRetentionPeriod).toBeGreaterThan(MessageRetentionPeriod);
});

it('encrypts every queue, and refuses whoever comes without TLS', () => {
  const queues = Object.entries(template.findResources('AWS::SQS::Queue'));
  const policies = propertiesOf(template, 'AWS::SQS::QueuePolicy');
  expect(queues).toHaveLength(3);
  for (const [id, { Properties }] of queues) {
    expect(Properties.SqsManagedSseEnabled).toBe(true);
    const policy = policies.find(({ Queues }) => Queues[0].Ref === id);
    expect(policy?.PolicyDocument.Statement).toEqual([
      {
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: 'sqs:*',
        Resource: arn(id),
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ]);
  }
});

it('allows the publisher to read the stream and to send, and nothing else', () => {
  expect(allowedTo(template, 'PublisherRoleFDE2F285')).toEqual([
    ...logAndTrace('PublisherLogsF6EE885C'),
    { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arn('LedgerQueue842A8811') },
    {
      Effect: 'Allow',
      Action: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl', 'sqs:SendMessage'],
      Resource: arn('UnpublishedEvents9B6C9933'),
    },
    {
      Effect: 'Allow',
      Action: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
      Resource: arn('Payments130453D3', 'StreamArn'),
    },
  ]);
});

it('allows the consumer to take messages, to guard and to add entries, and neither to read nor to change the ledger', () => {
  expect(allowedTo(template, 'LedgerConsumerRoleDFED8A5D')).toEqual([
    ...logAndTrace('LedgerConsumerLogsF8636D52'),
    { Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: arn('LedgerB7379752') },
    {
      Effect: 'Allow',
      Action: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
      Resource: arn('IdempotencyTable48612DF4'),
    },
    {
      Effect: 'Allow',
      Action: [
        'sqs:ChangeMessageVisibility',
        'sqs:DeleteMessage',
        'sqs:GetQueueAttributes',
        'sqs:GetQueueUrl',
        'sqs:ReceiveMessage',
      ],
      Resource: arn('LedgerQueue842A8811'),
    },
  ]);
});
