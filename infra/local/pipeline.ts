import { localEnvironment } from '../../tools/clients.ts';
import { createQueue, type LocalQueue, startLocalQueues } from '../../tools/queues.ts';
import type { PipelineBackend } from './backend.ts';
import { type LocalFunction, localFunction } from './function.ts';
import { pollQueue, type QueueSourceOptions } from './queue-source.ts';

/** What may go wrong on purpose: asked each time whether it does now. */
interface Mischief {
  /** An event of the outbox is published once more. @default never */
  readonly repeats?: () => boolean;
  /** A message that was handled is not deleted. @default never */
  readonly keeps?: () => boolean;
  /** Messages come in another order. @default that of the queue */
  readonly order?: QueueSourceOptions['order'];
  /** The process of a function is killed during its invocation, after these milliseconds. @default never */
  readonly crashesAfter?: () => number | undefined;
}

export interface PipelineOptions {
  readonly backend: PipelineBackend;
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

/**
 * What the stack has behind the payments, on this machine: the outbox, the publisher, the queue with its dead-letter queue, the
 * ledger's consumer. The functions run as processes of their own.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { backend, timeoutMillis, visibilitySeconds, maxReceiveCount, mischief = {}, onLine } = options;
  const { repeats, keeps, order } = mischief;
  const queues = await startLocalQueues();
  const queue = await createQueue(queues, 'ledger', { visibilitySeconds, maxReceiveCount });
  const environment = {
    ...localEnvironment({ AWS_ENDPOINT_URL_SQS: queues.endpoint }),
    ...backend.environment,
    LEDGER_QUEUE_URL: queue.url,
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
  const publisher = start('publisher', backend.publisher);
  const consumers = Array.from({ length: options.consumers }, () =>
    start('ledger', options.consumerModule ?? backend.consumer),
  );
  let kills = 0;

  const onError = (functionName: string) => (error: unknown) => onLine(`no events: ${error}`, functionName);
  const sources = [
    backend.pollOutbox({
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
