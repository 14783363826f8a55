import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { LocalQueue } from '../../tools/queues.ts';
import { runSource, type Source } from './source.ts';

export interface QueueSourceOptions {
  readonly queue: LocalQueue;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  /**
   * Whether a message that was handled stays in the queue anyway, as when its deletion is lost.
   * @default never
   */
  readonly keeps?: () => boolean;
  /** The order in which the messages of several receives are delivered. @default that of the queue */
  readonly order?: (messages: readonly Message[]) => readonly Message[];
  /** Gets what keeps the queue from being read. */
  readonly onError: (error: unknown) => void;
}

const BATCH_SIZE = 10;
const WAIT_SECONDS = 1;
/** So many receives are put in order together. */
const ORDERED_RECEIVES = 3;

/**
 * Delivers the messages of a queue to a function, as Lambda's event source mapping does (AWS:
 * "Handling errors for an SQS event source in Lambda"). A message that the function does not report
 * as failed is deleted. Every other one is visible again after its visibility timeout.
 */
export function pollQueue({ queue, invoke, keeps = () => false, order, onError }: QueueSourceOptions): Source {
  return runSource(async (signal) => {
    const receives = Array.from({ length: order === undefined ? 1 : ORDERED_RECEIVES }, () => receive(signal));
    const received = (await Promise.all(receives)).flat();
    const messages = order === undefined ? received : order(received);
    for (let first = 0; first < messages.length; first += BATCH_SIZE) {
      await deliver(messages.slice(first, first + BATCH_SIZE), signal);
    }
  }, onError);

  async function deliver(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    let failed: ReadonlySet<string>;
    try {
      failed = failedItems(await invoke({ Records: messages.map((message) => toRecord(message, queue.arn)) }));
    } catch {
      return;
    }
    const handled = messages.filter(({ MessageId = '' }) => !failed.has(MessageId) && !keeps());
    if (handled.length === 0 || signal.aborted) return;
    const Entries = handled.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await queue.client.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries }), { abortSignal: signal });
  }

  async function receive(abortSignal: AbortSignal): Promise<readonly Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: queue.url,
      MaxNumberOfMessages: BATCH_SIZE,
      WaitTimeSeconds: WAIT_SECONDS,
      MessageSystemAttributeNames: ['All'],
    });
    const { Messages = [] } = await queue.client.send(command, { abortSignal });
    return Messages;
  }
}

function failedItems(response: unknown): ReadonlySet<string> {
  const { batchItemFailures = [] } = (response ?? {}) as Partial<SQSBatchResponse>;
  return new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
}

function toRecord(message: Message, eventSourceARN: string): SQSRecord {
  const { MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', Attributes = {} } = message;
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes: Attributes as unknown as SQSRecord['attributes'],
    messageAttributes: {},
    md5OfBody: MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: 'local',
  };
}
