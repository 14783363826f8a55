import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record as StreamRecord,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Source } from './queue-source.ts';

export interface StreamSourceOptions {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  /** Which records the function gets. */
  readonly filter: (record: DynamoDBRecord) => boolean;
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** Whether a record is delivered once more after its batch, as when the answer of the function is lost. @default never */
  readonly repeats?: () => boolean;
}

const BATCH_SIZE = 100;
const IDLE_MILLIS = 100;
const RETRY_MILLIS = 200;

/**
 * Delivers the stream of a table to a function, from its beginning on, as Lambda's event source mapping does (AWS: "Configuring
 * partial batch response with DynamoDB and Lambda"): from the lowest sequence number that the function reports as failed,
 * it delivers again. Begun anew, it begins at the beginning: what was delivered comes again.
 */
export function pollStream(options: StreamSourceOptions): Source {
  const { client, streamArn, filter, invoke, repeats = () => false } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const shards = new Map<string, Promise<void>>();
  const finished = new Set<string>();
  const polling = poll();
  return {
    async stop() {
      stopping.abort();
      await polling;
    },
  };

  async function poll(): Promise<void> {
    while (!signal.aborted) {
      for (const { ShardId = '', ParentShardId = '' } of await describe()) {
        // A change of an item is in the child only after all of the parent: their order is kept.
        const isParentOpen = shards.has(ParentShardId) && !finished.has(ParentShardId);
        if (!shards.has(ShardId) && !isParentOpen) shards.set(ShardId, pollShard(ShardId));
      }
      await pause(10 * IDLE_MILLIS);
    }
    await Promise.all(shards.values());
  }

  async function describe() {
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: streamArn }));
    return StreamDescription?.Shards ?? [];
  }

  async function pollShard(ShardId: string): Promise<void> {
    let last: string | undefined;
    let iterator = await iteratorAfter(ShardId, last);
    while (iterator !== undefined && !signal.aborted) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: BATCH_SIZE })).catch(lost);
      if (page === undefined) {
        await pause(IDLE_MILLIS);
        iterator = await iteratorAfter(ShardId, last);
        continue;
      }
      const { Records = [], NextShardIterator } = page;
      const records = Records.map((record) => toLambdaRecord(record, streamArn)).filter(filter);
      await deliver(records);
      await deliver(records.filter(repeats));
      if (Records.length === 0) await pause(IDLE_MILLIS);
      last = Records.at(-1)?.dynamodb?.SequenceNumber ?? last;
      iterator = NextShardIterator;
    }
    finished.add(ShardId);
  }

  async function iteratorAfter(ShardId: string, SequenceNumber: string | undefined): Promise<string | undefined> {
    const position =
      SequenceNumber === undefined
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber } as const);
    const command = new GetShardIteratorCommand({ StreamArn: streamArn, ShardId, ...position });
    return (await client.send(command)).ShardIterator;
  }

  async function deliver(records: readonly DynamoDBRecord[]): Promise<void> {
    let pending = [...records];
    while (pending.length > 0 && !signal.aborted) {
      try {
        pending = fromFirstFailed(pending, await invoke({ Records: pending }));
      } catch {
        // All of them are still to be handled.
      }
      if (pending.length > 0) await pause(RETRY_MILLIS);
    }
  }

  async function pause(millis: number): Promise<void> {
    await sleep(millis, undefined, { signal }).catch(() => undefined);
  }
}

/** An iterator ends after 15 minutes; one of DynamoDB Local also does when it was begun before the first record was written. */
function lost(error: unknown): undefined {
  if (error instanceof TrimmedDataAccessException || error instanceof ExpiredIteratorException) return undefined;
  throw error;
}

function fromFirstFailed(records: DynamoDBRecord[], response: unknown): DynamoDBRecord[] {
  const { batchItemFailures = [] } = (response ?? {}) as Partial<DynamoDBBatchResponse>;
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  const first = records.findIndex(({ dynamodb }) => failed.has(dynamodb?.SequenceNumber ?? ''));
  return first === -1 ? [] : records.slice(first);
}

function toLambdaRecord({ dynamodb, ...record }: StreamRecord, eventSourceARN: string): DynamoDBRecord {
  const at = dynamodb?.ApproximateCreationDateTime?.getTime() ?? 0;
  return {
    ...record,
    eventSourceARN,
    dynamodb: { ...dynamodb, ApproximateCreationDateTime: Math.floor(at / 1000) },
  } as DynamoDBRecord;
}
