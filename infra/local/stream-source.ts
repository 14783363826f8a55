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
import { pause, runSource, type Source } from './source.ts';

export interface StreamSourceOptions {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  /** Which records the function gets. */
  readonly filter: (record: DynamoDBRecord) => boolean;
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** Whether a record is delivered once more after its batch, as when the answer of the function is lost. @default never */
  readonly repeats?: () => boolean;
  /** Gets what keeps the stream from being read. */
  readonly onError: (error: unknown) => void;
}

const BATCH_SIZE = 100;
const IDLE_MILLIS = 100;
const RETRY_MILLIS = 200;

/**
 * Delivers the stream of a table to a function, from its beginning on. It does as Lambda's event
 * source mapping (AWS: "Configuring partial batch response with DynamoDB and Lambda"). From the
 * lowest sequence number that the function reports as failed, it delivers again. A new start begins
 * at the beginning: what was delivered comes again.
 */
export function pollStream(options: StreamSourceOptions): Source {
  const { client, streamArn, filter, invoke, repeats = () => false, onError } = options;
  /** The sequence number behind which a shard is still to be read; `'end'` where there is nothing more to come. */
  const positions = new Map<string, string | undefined>();

  return runSource(async (signal) => {
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: streamArn }), {
      abortSignal: signal,
    });
    const shards = StreamDescription?.Shards ?? [];
    const open = shards.filter(({ ShardId = '' }) => positions.get(ShardId) !== END);
    // A change of an item is in a child only after all of its parent: their order is kept.
    const isBehind = (ParentShardId = '') => open.some(({ ShardId }) => ShardId === ParentShardId);
    const next = open.filter(({ ParentShardId }) => !isBehind(ParentShardId));
    await Promise.all(next.map(({ ShardId = '' }) => readShard(ShardId, signal)));
    if (next.length === 0) await pause(IDLE_MILLIS, signal);
  }, onError);

  async function readShard(ShardId: string, signal: AbortSignal): Promise<void> {
    let iterator = await iteratorOf(ShardId, signal);
    while (iterator !== undefined && !signal.aborted) {
      const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: BATCH_SIZE });
      const page = await client.send(command, { abortSignal: signal }).catch(lost);
      if (page === undefined) return pause(IDLE_MILLIS, signal);
      const { Records = [], NextShardIterator } = page;
      const records = Records.map((record) => toLambdaRecord(record, streamArn)).filter(filter);
      await deliver(records, signal);
      await deliver(records.filter(repeats), signal);
      positions.set(ShardId, Records.at(-1)?.dynamodb?.SequenceNumber ?? positions.get(ShardId));
      if (Records.length === 0) await pause(IDLE_MILLIS, signal);
      iterator = NextShardIterator;
    }
    if (!signal.aborted) positions.set(ShardId, END);
  }

  async function iteratorOf(ShardId: string, signal: AbortSignal): Promise<string | undefined> {
    const SequenceNumber = positions.get(ShardId);
    const position =
      SequenceNumber === undefined
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber } as const);
    const command = new GetShardIteratorCommand({ StreamArn: streamArn, ShardId, ...position });
    return (await client.send(command, { abortSignal: signal })).ShardIterator;
  }

  async function deliver(records: readonly DynamoDBRecord[], signal: AbortSignal): Promise<void> {
    let pending = [...records];
    while (pending.length > 0 && !signal.aborted) {
      try {
        pending = fromFirstFailed(pending, await invoke({ Records: pending }));
      } catch {
        // All of them are still to be handled.
      }
      if (pending.length > 0) await pause(RETRY_MILLIS, signal);
    }
  }
}

const END = 'end';

/** An iterator ends after 15 minutes; one of DynamoDB Local also does when it was made before the first record was written. */
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
