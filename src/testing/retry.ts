import { type Answer, failuresOf, isSuccessful } from './answer.ts';
import { lambdaContext } from './lambda-context.ts';

export interface RetryOptions {
  /** How often the function is invoked at most. @default as often as its event source does: 3, or 4 for HTTP and queues */
  readonly maxInvocations?: number;
  /** The timeout of the function, milliseconds. @default 30_000 */
  readonly timeoutMillis?: number;
}

/** What the invocations came to, in order. The last one is a success, or the event source has given up. */
export interface Retried<Result> {
  readonly answers: readonly Answer<Result>[];
  /** What the last invocation returned; `undefined` where it threw. */
  readonly response: Result | undefined;
  readonly succeeded: boolean;
}

type AnyRecord = Readonly<Record<string, unknown>>;

/**
 * Invokes a handler until it succeeds, in the way of the event's source:
 *
 * - HTTP: the client sends the request again after 409, 425, 429 and 5xx, and after a throw.
 * - SQS: the messages that failed come again, with a higher `ApproximateReceiveCount`.
 * - Kinesis and DynamoDB Streams: the batch comes again, from the first record that failed.
 * - Anything else: Lambda invokes again after a throw, as it does for an asynchronous invocation.
 */
export async function retry<TEvent, Result>(
  handler: (event: TEvent, context: never) => Result | Promise<Result>,
  event: TEvent,
  { maxInvocations = defaultOf(event), timeoutMillis = 30_000 }: RetryOptions = {},
): Promise<Retried<Awaited<Result>>> {
  const answers: Answer<Awaited<Result>>[] = [];
  let next = event;
  for (let count = 1; count <= maxInvocations; count++) {
    const answer = await answerOf(() => handler(structuredClone(next), lambdaContext({ timeoutMillis }) as never));
    answers.push(answer);
    if (!isToBeRetried(answer)) break;
    next = redelivered(next, answer);
  }
  const last = answers.at(-1);
  const response = last?.kind === 'returned' ? last.value : undefined;
  return { answers, response, succeeded: isSuccessful(last) };
}

async function answerOf<Result>(call: () => Result | Promise<Result>): Promise<Answer<Awaited<Result>>> {
  try {
    return { kind: 'returned', value: await call() };
  } catch (error) {
    return { kind: 'threw', error };
  }
}

function isToBeRetried(answer: Answer): boolean {
  if (answer.kind !== 'returned') return true;
  const { statusCode } = (answer.value ?? {}) as { statusCode?: unknown };
  if (typeof statusCode === 'number') return statusCode >= 500 || [409, 425, 429].includes(statusCode);
  return !isSuccessful(answer);
}

function recordsOf(event: unknown): readonly AnyRecord[] {
  const { Records } = (event ?? {}) as { Records?: readonly AnyRecord[] };
  return Array.isArray(Records) ? Records : [];
}

function defaultOf(event: unknown): number {
  const isHttp = typeof event === 'object' && event !== null && 'requestContext' in event;
  return isHttp || recordsOf(event)[0]?.['eventSource'] === 'aws:sqs' ? 4 : 3;
}

/** What the event source sends after a failure: the event again, or what is left of its batch. */
export function redelivered<TEvent>(event: TEvent, answer: Answer): TEvent {
  const records = recordsOf(event);
  const source = records[0]?.['eventSource'];
  const failed = new Set(
    failuresOf(answer).map((failure) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier),
  );
  if (source === 'aws:sqs') {
    const left = failed.size === 0 ? records : records.filter(({ messageId }) => failed.has(messageId));
    return { ...event, Records: left.map(received) };
  }
  if (failed.size === 0 || (source !== 'aws:kinesis' && source !== 'aws:dynamodb')) return event;
  const first = records.findIndex((record) => failed.has(sequenceNumberOf(record)));
  return { ...event, Records: records.slice(Math.max(0, first)) };
}

function received(record: AnyRecord): AnyRecord {
  const attributes = (record['attributes'] ?? {}) as { ApproximateReceiveCount?: string };
  const count = Number(attributes.ApproximateReceiveCount ?? 1) + 1;
  return {
    ...record,
    receiptHandle: `receipt-${count}`,
    attributes: { ...attributes, ApproximateReceiveCount: `${count}` },
  };
}

function sequenceNumberOf({ kinesis, dynamodb }: AnyRecord): unknown {
  const { sequenceNumber } = (kinesis ?? {}) as { sequenceNumber?: unknown };
  return sequenceNumber ?? ((dynamodb ?? {}) as { SequenceNumber?: unknown }).SequenceNumber;
}
