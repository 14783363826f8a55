import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, type ITable, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { FilterCriteria, FilterRule, type Function as LambdaFunction, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { IdempotencyTable } from 'middy-idempotency/cdk';
import { DEAD_LETTER_DAYS, QUEUE_DAYS } from '../ledger/terms.ts';
import { OUTBOX_PREFIX } from '../outbox/outbox.ts';
import { createExampleFunction } from './example-function.ts';
import type { Transport } from './settings.ts';

export interface LedgerProps {
  readonly transport: Transport;
  /** With a stream of new images. */
  readonly payments: TableV2;
  readonly idempotency: IdempotencyTable;
  /** What becomes of the ledger's table with the stack. */
  readonly removal: { readonly removalPolicy: RemovalPolicy; readonly deletionProtection: boolean };
}

export interface Ledger {
  readonly table: TableV2;
  readonly publisher: LambdaFunction;
  readonly consumer: LambdaFunction;
  readonly queue: Queue;
  /** Messages that could not be booked. */
  readonly deadLetters: Queue;
  /** Where in the stream events are that could not be published. */
  readonly unpublished: Queue;
}

const TIMEOUT = Duration.seconds(30);
/** AWS: "Creating and configuring an Amazon SQS event source mapping". */
const VISIBILITY = Duration.seconds(6 * TIMEOUT.toSeconds());
/** At least five, as the same page asks for: a message may meet throttling, and the lease of an invocation that died. */
const MAX_RECEIVES = 5;

/**
 * What is behind the payments table: its stream, the publisher, the queue and the consumer that
 * books. Events that cannot be published or booked end in queues of their own.
 */
export function createLedger(scope: Construct, { transport, payments, idempotency, removal }: LedgerProps): Ledger {
  const table = new TableV2(scope, 'Ledger', {
    partitionKey: { name: 'account', type: AttributeType.STRING },
    sortKey: { name: 'entry', type: AttributeType.STRING },
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    ...removal,
  });
  const secure = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
  const kept = { retentionPeriod: Duration.days(DEAD_LETTER_DAYS) };
  const deadLetters = new Queue(scope, 'LedgerDeadLetters', { ...secure, ...kept });
  const unpublished = new Queue(scope, 'UnpublishedEvents', { ...secure, ...kept });
  Validations.of(unpublished).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SQS3',
    reason: 'It is where the publisher puts what has failed: nothing takes messages from it that could fail again.',
  });
  const queue = new Queue(scope, 'LedgerQueue', {
    ...secure,
    visibilityTimeout: VISIBILITY,
    retentionPeriod: Duration.days(QUEUE_DAYS),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
  });
  const publisher = createPublisher(scope, payments, queue, unpublished);
  const consumer = createConsumer(scope, { transport, table, idempotency, queue });
  return { table, publisher, consumer, queue, deadLetters, unpublished };
}

function createPublisher(scope: Construct, payments: TableV2, queue: Queue, unpublished: Queue): LambdaFunction {
  const publisher = createExampleFunction(scope, 'Publisher', {
    description: 'Publishes the events of the payments',
    entry: 'outbox/handler.ts',
    timeout: TIMEOUT,
    environment: { LEDGER_QUEUE_URL: queue.queueUrl },
    packages: ['@aws-lambda-powertools/batch', '@aws-sdk/client-sqs'],
  });
  queue.grant(publisher, 'sqs:SendMessage');
  publisher.addEventSource(
    // CDK's own types do not agree where `undefined` is no value of an optional property.
    new DynamoEventSource(payments as ITable, {
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [
        FilterCriteria.filter({
          eventName: FilterRule.isEqual('INSERT'),
          dynamodb: { Keys: { id: { S: FilterRule.beginsWith(OUTBOX_PREFIX) } } },
        }),
      ],
      batchSize: 100,
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      // An outage of SQS may pass within an hour; behind an event that never can be sent, its shard must not wait longer.
      retryAttempts: 1000,
      maxRecordAge: Duration.hours(1),
      onFailure: new SqsDlq(unpublished),
    }),
  );
  return publisher;
}

interface ConsumerProps extends Pick<LedgerProps, 'transport' | 'idempotency'> {
  readonly table: TableV2;
  readonly queue: Queue;
}

function createConsumer(scope: Construct, { transport, table, idempotency, queue }: ConsumerProps): LambdaFunction {
  const consumer = createExampleFunction(scope, 'LedgerConsumer', {
    description: 'Books every payment once',
    entry: transport === 'lite' ? 'ledger/lite-handler.ts' : 'ledger/handler.ts',
    timeout: TIMEOUT,
    environment: { LEDGER_TABLE_NAME: table.tableName },
    packages: ['@aws-lambda-powertools/batch'],
  });
  table.grant(consumer, 'dynamodb:PutItem');
  idempotency.guard(consumer);
  consumer.addEventSource(new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true }));
  return consumer;
}
