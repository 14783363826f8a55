import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Runtime } from '../../src/core/runtime.ts';

export interface QueueSettings {
  readonly visibilityMillis?: number;
  /** A message that was received as often as this and failed goes to `deadLetters`. */
  readonly maxReceiveCount?: number;
}

interface Message {
  readonly record: SQSRecord;
  visibleAt: number;
  receiveCount: number;
}

/** A batch handler, as Lambda would invoke it. */
export type SqsHandler = (event: SQSEvent) => Promise<unknown>;

/**
 * A queue with its event source mapping, as the AWS pages "Amazon SQS visibility timeout", "Using dead-letter queues" and
 * "Implementing partial batch responses" have them, on the clock of the test. A FIFO queue, which is one where the records
 * have a group, gives no message of a group while an earlier one of it is in flight.
 */
export class TestQueue {
  readonly deadLetters: SQSRecord[] = [];
  readonly #clock: Pick<Runtime, 'now'>;
  readonly #visibilityMillis: number;
  readonly #maxReceiveCount: number;
  #messages: Message[] = [];

  constructor(
    clock: Pick<Runtime, 'now'>,
    { visibilityMillis = 180_000, maxReceiveCount = 3 }: QueueSettings,
    ...records: readonly SQSRecord[]
  ) {
    this.#clock = clock;
    this.#visibilityMillis = visibilityMillis;
    this.#maxReceiveCount = maxReceiveCount;
    this.send(...records);
  }

  get visibilityMillis(): number {
    return this.#visibilityMillis;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  send(...records: readonly SQSRecord[]): void {
    this.#messages.push(...records.map((record) => ({ record, visibleAt: 0, receiveCount: 0 })));
  }

  /** One invocation with up to `batchSize` messages. Answers what the handler did, `undefined` if there was no message. */
  async poll(handler: SqsHandler, batchSize = 10): Promise<SQSBatchResponse | Error | undefined> {
    const Records = this.#receive(batchSize);
    if (Records.length === 0) return undefined;
    let response: unknown;
    try {
      response = await handler(structuredClone({ Records }));
    } catch (error) {
      return error as Error;
    }
    const failed = failedItems(response, new Set(Records.map(({ messageId }) => messageId)));
    const deleted = new Set(Records.map(({ messageId }) => messageId).filter((id) => !failed.has(id)));
    this.#messages = this.#messages.filter(({ record }) => !deleted.has(record.messageId));
    return response as SQSBatchResponse;
  }

  #receive(batchSize: number): SQSRecord[] {
    const now = this.#clock.now();
    const received: SQSRecord[] = [];
    const blockedGroups = new Set<string>();
    for (const message of [...this.#messages]) {
      const group = message.record.attributes.MessageGroupId;
      if (received.length === batchSize || (group !== undefined && blockedGroups.has(group))) continue;
      if (message.visibleAt > now) {
        if (group !== undefined) blockedGroups.add(group);
      } else if (message.receiveCount === this.#maxReceiveCount) {
        this.#messages = this.#messages.filter((one) => one !== message);
        this.deadLetters.push(message.record);
      } else {
        message.receiveCount++;
        message.visibleAt = now + this.#visibilityMillis;
        const attributes = { ...message.record.attributes, ApproximateReceiveCount: String(message.receiveCount) };
        received.push({ ...message.record, attributes });
      }
    }
    return received;
  }
}

/**
 * What Lambda takes for failed. A response that it does not understand, or that names what is not in the batch, is a
 * failure of the whole batch; nothing, or an empty list, is its success.
 */
function failedItems(response: unknown, batch: ReadonlySet<string>): ReadonlySet<string> {
  const failures = (response as Partial<SQSBatchResponse> | null | undefined)?.batchItemFailures ?? [];
  const failed = failures.map(({ itemIdentifier }) => itemIdentifier);
  return failed.every((item) => batch.has(item)) ? new Set(failed) : batch;
}
