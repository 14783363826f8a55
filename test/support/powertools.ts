import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { type FunctionOptions, idempotent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { type PowertoolsRecordsOptions, powertoolsRecords } from 'middy-idempotency/powertools';
import { afterEach, vi } from 'vitest';
import { explainRequest } from '../../src/operator/index.ts';
import { lambdaContext } from './harness.ts';
import { useTable } from './table.ts';

export interface Order {
  readonly id: string;
  readonly amount?: number;
  readonly currency?: string;
}

type Guarded = FunctionOptions<[Order, Context]> & { readonly passHandle?: false };
type Work = (order: Order) => unknown;
type OldConfig = ConstructorParameters<typeof IdempotencyConfig>[0];
type OldLayer = { readonly [Name in `${'key' | 'sortKey' | 'status' | 'data'}Attr` | 'staticPkValue']?: string };

interface New {
  readonly records?: Partial<PowertoolsRecordsOptions>;
  readonly options?: Partial<Guarded>;
  readonly remainingMillis?: number;
}

export const KEY_PREFIX = 'payments';

/** The same work, guarded by the real Powertools package and by this one, on one table. */
export function useOldAndNew(schema: Parameters<typeof useTable>[0] = {}) {
  const { tableName, client } = useTable(schema);
  const documents = DynamoDBDocumentClient.from(client as DynamoDBClient);
  afterEach(() => void vi.useRealTimers());
  return {
    tableName,
    client,
    /** `makeIdempotent`, as in production before the move. */
    old(work: Work, config: OldConfig = {}, layer: OldLayer = {}, remainingMillis = 30_000) {
      const guarded = makeIdempotent(async (order: Order, _context: Context) => work(order), {
        persistenceStore: new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client, ...layer } as never),
        config: new IdempotencyConfig({ eventKeyJmesPath: 'id', ...config }),
        keyPrefix: KEY_PREFIX,
      });
      return async (order: Order): Promise<unknown> =>
        await guarded(order, lambdaContext(undefined, { remainingMillis }));
    },
    /** `idempotent` with `migrateFrom`. */
    new(work: Work, { records = {}, options = {}, remainingMillis = 30_000 }: New = {}) {
      const fn = async (order: Order, _context: Context) => work(order);
      const guarded = idempotent<[Order, Context], unknown>(fn, {
        store: dynamoDBStore({ tableName, client }),
        key: 'id',
        operation: KEY_PREFIX,
        warnings: false,
        migrateFrom: powertoolsRecords({
          tableName,
          client,
          mode: 'readThrough',
          eventKeyJmesPath: 'id',
          keyPrefix: KEY_PREFIX,
          ...records,
        }),
        ...options,
      } as Guarded);
      return async (order: Order): Promise<unknown> =>
        await guarded(order, lambdaContext(undefined, { remainingMillis }));
    },
    async item(Key: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
      const { Item } = await documents.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }));
      return Item;
    },
    delete: (Key: Record<string, unknown>) => documents.send(new DeleteCommand({ TableName: tableName, Key })),
    /** The id of our record. */
    idOf(order: Order): string {
      const explained = explainRequest({ event: order, key: 'id', operation: KEY_PREFIX });
      return explained.kind === 'guarded' ? explained.id : '';
    },
    /** For both packages: timers stay real. */
    passTime(millis: number): void {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + millis });
    },
  };
}

/** Work that counts its effects, and can be held until the test lets it go on. */
export function charging() {
  const charges: string[] = [];
  const held = new Map<string, { started: () => void; go: Promise<void> }>();
  return {
    charges,
    as:
      (by: string): Work =>
      async ({ id, amount }) => {
        charges.push(by);
        held.get(by)?.started();
        await held.get(by)?.go;
        return { id, amount, by };
      },
    /** The next execution by `by` waits in the middle. */
    hold(by: string) {
      const started = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      held.set(by, { started: started.resolve, go: go.promise });
      return { started: started.promise, go: go.resolve };
    },
  };
}
