import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord } from 'aws-lambda';
import { LOCAL_ACCESS, localEnvironment } from '../../tools/clients.ts';
import { createQueue, type LocalQueue, startLocalQueues } from '../../tools/queues.ts';
import { OUTBOX_PREFIX } from '../outbox/outbox.ts';
import { type ExampleTables, streamArnOf } from './example-tables.ts';
import { type LocalFunction, localFunction } from './function.ts';
import { pollQueue, type QueueSourceOptions } from './queue-source.ts';
import { pollStream } from './stream-source.ts';

/** What may go wrong on purpose: asked each time whether it does now. */
interface Mischief {
  /** The publisher is given an event of the stream once more. @default never */
  readonly repeats?: () => boolean;
  /** A message that was handled is not deleted. @default never */
  readonly keeps?: () => boolean;
  /** Messages come in another order. @default that of the queue */
  readonly order?: QueueSourceOptions['order'];
  /** The process of a function is killed during its invocation, after these milliseconds. @default never */
  readonly crashesAfter?: () => number | undefined;
}

export interface PipelineOptions {
  /** Of DynamoDB Local. */
  readonly endpoint: string;
  readonly client: DynamoDBClient;
  readonly tables: ExampleTables;
  /** The functions' timeout. */
  readonly timeoutMillis: number;
  /** After so long, a message that was not deleted comes again: six timeouts, as AWS asks for. */
  readonly visibilitySeconds: number;
  readonly maxReceiveCount: number;
  /** How many processes consume at the same time. */
  readonly consumers: number;
  readonly mischief?: Mischief;
  /** In place of the consumer of the example: a module that exports a `handler`. */
  readonly consumerModule?: URL;
  /** What Node is given to run the functions. @default what it was given to run this */
  readonly execArgv?: readonly string[];
  /** Gets every line that a function prints. */
  readonly onLine: (line: string, functionName: string) => void;
}

export interface Pipeline {
  readonly queue: LocalQueue;
  /** How often a process was killed on purpose. */
  readonly kills: number;
  stop(): Promise<void>;
}

const here = (path: string) => new URL(path, import.meta.url);

/**
 * What the stack has behind the payments table, on this machine: the table's stream, the publisher, the queue with its
 * dead-letter queue, the ledger's consumer. The functions run as processes of their own.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const {
    endpoint,
    client,
    tables,
    timeoutMillis,
    visibilitySeconds,
    maxReceiveCount,
    mischief = {},
    onLine,
  } = options;
  const { repeats, keeps, order } = mischief;
  const streamArn = await streamArnOf(client, tables.payments);
  const queues = await startLocalQueues();
  const queue = await createQueue(queues, 'ledger', { visibilitySeconds, maxReceiveCount });
  const environment = {
    ...localEnvironment({ dynamoDB: endpoint, sqs: queues.endpoint }),
    LEDGER_QUEUE_URL: queue.url,
    IDEMPOTENCY_TABLE_NAME: tables.idempotency,
    LEDGER_TABLE_NAME: tables.ledger,
  };
  const start = (functionName: string, module: URL) =>
    localFunction({
      functionName,
      module,
      timeoutMillis,
      environment,
      execArgv: options.execArgv ?? process.execArgv,
      onLine: (line) => onLine(line, functionName),
    });
  const publisher = start('publisher', here('../outbox/handler.ts'));
  const consumerModule = options.consumerModule ?? here('../ledger/handler.ts');
  const consumers = Array.from({ length: options.consumers }, () => start('ledger', consumerModule));
  let kills = 0;

  const streams = new DynamoDBStreamsClient({ endpoint, ...LOCAL_ACCESS });
  const onError = (functionName: string) => (error: unknown) => onLine(`no events: ${error}`, functionName);
  const sources = [
    pollStream({
      client: streams,
      streamArn,
      filter: isOutboxEvent,
      onError: onError('publisher'),
      invoke: crashing(publisher),
      ...(repeats !== undefined && { repeats }),
    }),
    ...consumers.map((consumer) =>
      pollQueue({
        queue,
        onError: onError('ledger'),
        invoke: crashing(consumer),
        ...(keeps !== undefined && { keeps }),
        ...(order !== undefined && { order }),
      }),
    ),
  ];

  return {
    queue,
    get kills() {
      return kills;
    },
    async stop() {
      const stopped = sources.map((source) => source.stop());
      // What is being handled is cut off: a batch may take as long as the timeout.
      await Promise.all([publisher, ...consumers].map((fn) => fn.stop()));
      await Promise.all(stopped);
      streams.destroy();
      await queues.stop();
    },
  };

  function crashing(fn: LocalFunction): (event: unknown) => Promise<unknown> {
    return async (event) => {
      const millis = mischief.crashesAfter?.();
      const crash = millis === undefined ? undefined : setTimeout(() => void (fn.kill() && kills++), millis);
      try {
        return await fn.invoke(event);
      } finally {
        clearTimeout(crash);
      }
    };
  }
}

/** As the filter of the deployed event source mapping has it. */
function isOutboxEvent({ eventName, dynamodb }: DynamoDBRecord): boolean {
  return eventName === 'INSERT' && dynamodb?.Keys?.['id']?.S?.startsWith(OUTBOX_PREFIX) === true;
}
