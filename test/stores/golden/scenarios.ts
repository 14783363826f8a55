import type { IdempotencyHandle } from 'middy-idempotency';
import type { OutcomeCodec, TransactionItem } from 'middy-idempotency/dynamodb';
import { turning } from './turning-codec.ts';

export type Handle = IdempotencyHandle<TransactionItem>;
export type Work = (handle: Handle) => Promise<unknown>;

/** A process that makes calls with one key. Its clock stands still between them, and its tokens are counted. */
export interface Host {
  /** A guarded call. */
  call(work: Work, options?: object): Promise<unknown>;
  /** A guarded call that dies at the end of `work`: nothing more comes of it. */
  die(work: Work, options?: object): Promise<void>;
  /** Moves the clock. */
  advance(millis: number): void;
  /** The answers of the next requests to DynamoDB are lost, so many of them. */
  loseAnswers(count: number): void;
  /** Deletes every item, as TTL or a person does. */
  forget(): Promise<void>;
  /** The name of a table of the caller's own. */
  readonly effects: string;
}

/** What leaves a record of one kind behind. */
export interface Scenario {
  readonly name: string;
  /** Whether the table has a sort key, and attributes of other names. @default false */
  readonly renamed?: boolean;
  readonly codec?: OutcomeCodec;
  /** Whether the calls are requests to an HTTP API. @default false */
  readonly http?: boolean;
  run(host: Host): Promise<unknown>;
  /** How much later the next request with the same key comes, milliseconds. @default 0 */
  readonly nextAfterMillis?: number;
  /** Options of the guard of the next request. */
  readonly nextOptions?: object;
}

const LEASE_OVER_MILLIS = 62_000;
const RETENTION_OVER_MILLIS = 25 * 3600 * 1000;
const SDK_ATTEMPTS = 3;
/** More than an item can hold. */
const PADDING_BYTES = 400 * 1024;

const long = 'An outcome of more than a kilobyte is compressed. '.repeat(21);
const paid = { statusCode: 201, body: '{"paid":10}' };
const nothing: Work = async () => undefined;
const returns =
  (value: unknown): Work =>
  async () =>
    value;
const throws =
  (error: unknown): Work =>
  async () => {
    throw error;
  };
const NO_NETWORK = new Error('no network');
const STORE_ALL = { settle: () => 'store' };
const PAYLOAD = { fingerprint: 'amount' };

const steps: Work = async ({ step }) => {
  await step('reserve', async () => ({ reservation: 7 }));
  await step('charge', async () => long);
  await step('nothing', async () => undefined);
  await step('refused', async () => 1n).catch(() => undefined);
};

const stepsThenThrows: Work = async (handle) => {
  await steps(handle);
  throw NO_NETWORK;
};

/** A call whose caller gets an error. */
const fail = (host: Host, work: Work, options?: object) => host.call(work, options).catch(() => undefined);

const CODEC = turning('turning');

function effect({ effects }: Host): TransactionItem {
  return {
    Update: {
      TableName: effects,
      Key: { id: 'account' },
      UpdateExpression: 'ADD balance :one',
      ExpressionAttributeValues: { ':one': 1 },
    },
  };
}

const IN_PROGRESS: readonly Scenario[] = [
  { name: 'in progress', run: (host) => host.die(nothing) },
  { name: 'in progress, fingerprint', run: (host) => host.die(nothing, PAYLOAD), nextOptions: PAYLOAD },
  {
    name: 'in progress, another fingerprint',
    run: (host) => host.die(nothing, PAYLOAD),
    nextOptions: { fingerprint: 'id' },
  },
  { name: 'in progress, HTTP', http: true, run: (host) => host.die(nothing) },
  { name: 'lease over', run: (host) => host.die(nothing), nextAfterMillis: LEASE_OVER_MILLIS },
  {
    name: 'lease over, at most once',
    run: (host) => host.die(nothing),
    nextAfterMillis: LEASE_OVER_MILLIS,
    nextOptions: { onExpiredLease: 'throw' },
  },
  { name: 'lease over, checkpoints', run: (host) => host.die(steps), nextAfterMillis: LEASE_OVER_MILLIS },
  {
    name: 'lease over, checkpoints through a codec',
    codec: CODEC,
    run: (host) => host.die(steps),
    nextAfterMillis: LEASE_OVER_MILLIS,
  },
  {
    name: 'lease extended',
    run: (host) => host.die(({ extend }) => extend(90_000)),
    nextAfterMillis: LEASE_OVER_MILLIS,
  },
  { name: 'retention over, checkpoints', run: (host) => host.die(steps), nextAfterMillis: RETENTION_OVER_MILLIS },
  {
    name: 'taken over, and dead again',
    async run(host) {
      await host.die(steps);
      host.advance(LEASE_OVER_MILLIS);
      await host.die(nothing);
    },
    nextAfterMillis: LEASE_OVER_MILLIS,
  },
  {
    name: 'claim whose answer was lost',
    async run(host) {
      host.loseAnswers(1);
      await host.call(nothing);
    },
  },
  {
    name: 'claim that is taken back',
    async run(host) {
      host.loseAnswers(SDK_ATTEMPTS);
      await host.call(nothing).catch(() => undefined);
    },
  },
];

const COMPLETED: readonly Scenario[] = [
  { name: 'returned', run: (host) => host.call(returns(paid)) },
  { name: 'returned, fingerprint', run: (host) => host.call(returns(paid), PAYLOAD), nextOptions: PAYLOAD },
  {
    name: 'returned, another fingerprint',
    run: (host) => host.call(returns(paid), PAYLOAD),
    nextOptions: { fingerprint: 'id' },
  },
  { name: 'returned, compressed', run: (host) => host.call(returns({ long })) },
  { name: 'returned undefined', run: (host) => host.call(nothing) },
  { name: 'returned null', run: (host) => host.call(returns(null)) },
  { name: 'returned, not replayable', run: (host) => host.call(returns({ amount: 10n })) },
  { name: 'returned, retention over', run: (host) => host.call(returns(paid)), nextAfterMillis: RETENTION_OVER_MILLIS },
  {
    name: 'threw an error',
    run: (host) => {
      const declined = Object.assign(new RangeError('declined'), { statusCode: 402, expose: true, code: 'DECLINED' });
      return fail(host, throws(declined), STORE_ALL);
    },
  },
  {
    name: 'threw an error, compressed',
    run: (host) => fail(host, throws(new Error(long)), STORE_ALL),
  },
  {
    name: 'threw a value',
    run: (host) => fail(host, throws('a text'), STORE_ALL),
  },
  {
    name: 'returned, scope',
    run: (host) => host.call(returns(paid), { scope: 'amount' }),
    nextOptions: { scope: 'amount' },
  },
  { name: 'HTTP', http: true, run: (host) => host.call(returns(paid)) },
  { name: 'HTTP, compressed', http: true, run: (host) => host.call(returns({ statusCode: 201, body: long })) },
  { name: 'codec', codec: CODEC, run: (host) => host.call(returns(paid)) },
  { name: 'codec, compressed', codec: CODEC, run: (host) => host.call(returns({ long })) },
  {
    name: 'codec, threw',
    codec: CODEC,
    run: (host) => fail(host, throws(new Error('declined')), STORE_ALL),
  },
  { name: 'codec, not replayable', codec: CODEC, run: (host) => host.call(returns({ amount: 10n })) },
  { name: 'parts', codec: turning('padding', PADDING_BYTES), run: (host) => host.call(returns({ long })) },
  { name: 'sort key and other names', renamed: true, run: (host) => host.call(returns(paid), PAYLOAD) },
  {
    name: 'parts, sort key and other names',
    renamed: true,
    codec: turning('padding', PADDING_BYTES),
    run: (host) => host.call(returns({ long })),
  },
];

const BEFORE_THE_END: readonly Scenario[] = [
  { name: 'completed before its end', run: (host) => host.die(({ complete }) => complete(paid)) },
  {
    name: 'completed before its end, and the same returned',
    run: (host) =>
      host.call(async ({ complete }) => {
        await complete(paid);
        return paid;
      }),
  },
  {
    name: 'completed before its end, and another one returned',
    run: (host) =>
      host.call(async ({ complete }) => {
        await complete(paid);
        return { ...paid, statusCode: 200 };
      }),
  },
  {
    name: 'completed before its end, sort key and other names',
    renamed: true,
    run: (host) => host.die(({ complete }) => complete(paid)),
  },
  { name: 'transaction', run: (host) => host.die(({ transact }) => transact([effect(host)], paid)) },
];

const RELEASED: readonly Scenario[] = [
  { name: 'released', run: (host) => fail(host, throws(NO_NETWORK)) },
  {
    name: 'released, fingerprint',
    run: (host) => fail(host, throws(NO_NETWORK), PAYLOAD),
    nextOptions: { fingerprint: 'id' },
  },
  {
    name: 'released, checkpoints',
    run: (host) => fail(host, stepsThenThrows),
  },
  {
    name: 'released, checkpoints, sort key and other names',
    renamed: true,
    run: (host) => fail(host, stepsThenThrows),
  },
];

/** The first request ends after its lease, when `meanwhile` has happened. */
async function late(host: Host, meanwhile: () => Promise<unknown>): Promise<void> {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const first = host.call(async () => {
    begun.resolve();
    await gate.promise;
    return paid;
  });
  await begun.promise;
  host.advance(LEASE_OVER_MILLIS);
  await meanwhile().catch(() => undefined);
  gate.resolve();
  await first;
}

const LATE: readonly Scenario[] = [
  { name: 'completed late', run: (host) => late(host, async () => undefined) },
  { name: 'completed late, and its record was gone', run: (host) => late(host, () => host.forget()) },
  {
    name: 'completed late, after a release of its successor',
    run: (host) => late(host, () => host.call(throws(NO_NETWORK))),
  },
  {
    name: 'completed late, after a completion of its successor',
    run: (host) => late(host, () => host.call(returns('the successor'))),
  },
];

export const SCENARIOS: readonly Scenario[] = [...IN_PROGRESS, ...COMPLETED, ...BEFORE_THE_END, ...RELEASED, ...LATE];

/** The work of the next request: it says which attempt it is, and which steps were still to be done. */
export const next: Work = async ({ attempt, step }) => {
  const done: string[] = [];
  const results: unknown[] = [];
  for (const name of ['reserve', 'charge', 'nothing', 'refused']) {
    results.push(
      await step(name, async () => {
        done.push(name);
        return 'now';
      }).catch(({ code }: { code: string }) => code),
    );
  }
  return { attempt, done, results };
};
