import middy from '@middy/core';
import { WatchedHandle } from '../../../proofs/lib/watched-handle.ts';
import type { IdempotencyHandle } from '../../../src/core/execution/handle.ts';
import { createIdempotent } from '../../../src/function.ts';
import { createIdempotency } from '../../../src/middy/idempotency.ts';
import { createTransaction } from '../../../src/transaction.ts';
import { effect, isPaid } from './effects.ts';
import type { Lane } from './lane.ts';
import type { Work } from './schedule.ts';
import { LEASE_MILLIS, RETENTION_SECONDS, SKEW_MILLIS, WAIT_MILLIS } from './terms.ts';

/** What a client asks for. `id` is the key. */
export interface Order {
  id: string | undefined;
  readonly amount: number;
}

/** One write of a transaction of the table: the bank's account is in the same database there. */
export interface Payment {
  readonly lane: number;
  readonly order: string;
  readonly amount: number;
}

type Handle = IdempotencyHandle<Payment>;
type Watched = WatchedHandle<Payment>;
/** The guarded code: what it returns is what the client gets. */
type Code = (lane: Lane, order: Order, watched: Watched, handle: Handle) => Promise<unknown>;

/** The function as its process has it: guarded, with the clock, the randomness and the timers of that process. */
export function functionOf(lane: Lane): (order: Order) => Promise<unknown> {
  const { work } = lane.setup;
  if (work === 'unguarded') return async (order) => paid(order, await effect(lane, 'charge', order.amount));
  if (work === 'transaction' || work === 'transaction-reads') return transactionOf(lane);
  const code = CODES[work];
  if (work === 'middy') return lambdaOf(lane, code);
  const guarded = (order: Order, handle: Handle) => run(lane, code, order, handle);
  const options = { ...optionsOf(lane), leaseMillis: LEASE_MILLIS, passHandle: true, renewLease: work === 'renew' };
  return createIdempotent(guarded, options as never, lane.runtime) as unknown as (order: Order) => Promise<unknown>;
}

const CODES: Readonly<Record<Exclude<Work, 'unguarded' | 'transaction' | 'transaction-reads'>, Code>> = {
  charge,
  middy: charge,

  /** docs/recipes/steps-and-transactions.md */
  async steps(lane, order, watched, handle) {
    await watched.step('reserve', () => effect(lane, 'reserve'));
    await watched.step('charge', () => effect(lane, 'charge', order.amount, keyOf(lane, handle)));
    await watched.step('confirm', () => effect(lane, 'confirm'));
    return paid(order, lane.results.get('charge'));
  },

  async throw(lane, order, watched, { attempt }) {
    await watched.step('reserve', () => effect(lane, 'reserve'));
    if (attempt === 1) throw new Error('no network');
    await watched.step('charge', () => effect(lane, 'charge', order.amount));
    return paid(order, lane.results.get('charge'));
  },

  async transact(lane, order, watched) {
    const value = paid(order, `receipt of request ${lane.number}`);
    await watched.transact([{ lane: lane.number, order: lane.key, amount: order.amount }], {
      text: JSON.stringify(value),
      value,
    });
    return value;
  },

  async complete(lane, order, watched) {
    const value = paid(order, await effect(lane, 'charge', order.amount));
    await watched.complete({ text: JSON.stringify(value), value });
    await effect(lane, 'mail');
    return value;
  },

  async extend(lane, order, watched) {
    const one = await effect(lane, 'one', order.amount / 2);
    await watched.extend(120_000);
    watched.look();
    return paid(order, `${one}, ${await effect(lane, 'two', order.amount / 2)}`);
  },

  async renew(lane, order) {
    const one = await effect(lane, 'one', order.amount / 2);
    await lane.longerLease();
    return paid(order, `${one}, ${await effect(lane, 'two', order.amount / 2)}`);
  },

  async mutate(lane, order, ...rest) {
    order.id = 'changed-by-the-handler';
    return charge(lane, order, ...rest);
  },
};

async function charge(lane: Lane, order: Order, _: Watched, handle: Handle): Promise<unknown> {
  return paid(order, await effect(lane, 'charge', order.amount, keyOf(lane, handle)));
}

function keyOf({ setup }: Lane, handle: Handle): string | undefined {
  return setup.bank === 'knows-keys' ? handle.deriveKey('charge') : undefined;
}

function paid({ amount }: Order, receipt: string | undefined) {
  return { paid: amount, receipt };
}

/** Runs the code, and tells the witness what it does and how it ends. */
async function run(lane: Lane, code: Code, order: Order, handle: Handle): Promise<unknown> {
  const watched: Watched = new WatchedHandle(handle, (event) => lane.tell(event));
  lane.begins(handle, () => watched.look());
  try {
    const value = await code(lane, order, watched, handle);
    const text = JSON.stringify(value);
    lane.ends(undefined);
    lane.tell({ type: 'ended', outcome: { kind: 'returned', text }, ...watched.promised('store', text, false) });
    return value;
  } catch (error) {
    const text = (error as Error).message;
    lane.ends(error);
    lane.tell({ type: 'ended', outcome: { kind: 'threw', text }, ...watched.promised('release', text, true) });
    throw error;
  }
}

/** Middy's own early timeout needs real timers: the handler below has the same race, in the time of the playground. */
function lambdaOf(lane: Lane, code: Code): (order: Order) => Promise<unknown> {
  const lambda = middy({ timeoutEarlyInMillis: 0 })
    .use([createIdempotency(optionsOf(lane) as never, lane.runtime)] as never[])
    .handler(((order: Order, context: { idempotency: Handle }) => {
      const timeout = lane.runtime.delay(lane.untilTimeout());
      const answer = run(lane, code, order, context.idempotency);
      return Promise.race([answer, timeout.elapsed.then(() => lane.timesOut())]).finally(() => timeout.cancel());
    }) as never) as unknown as (order: Order, context: object) => Promise<unknown>;
  const context = { functionName: 'payments', getRemainingTimeInMillis: () => lane.remaining() };
  return (order) => lambda(order, context);
}

/** Without a claim: the payment, the outcome and the record are one write. */
function transactionOf(lane: Lane): (order: Order) => Promise<unknown> {
  const plan = async (_: object, order: Order) => {
    if (lane.setup.work === 'transaction-reads') await notPaid(lane);
    const response = paid(order, `receipt of request ${lane.number}`);
    lane.tell({ type: 'finishing', by: 'transact', text: JSON.stringify(response) });
    return { items: [{ lane: lane.number, order: lane.key, amount: order.amount }], response };
  };
  return createTransaction(plan as never, optionsOf(lane) as never, lane.runtime);
}

/** @throws Error where the plan has found its effect, or could not look */
async function notPaid(lane: Lane): Promise<void> {
  try {
    if (await isPaid(lane)) throw new Error('paid already');
  } catch (error) {
    lane.tell({ type: 'planFailed', text: (error as Error).message });
    throw error;
  }
}

function optionsOf(lane: Lane) {
  const { expired, busy } = lane.setup;
  return {
    store: lane.store,
    operation: 'pay',
    key: (order: Order) => order.id,
    fingerprint: (order: Order) => order.amount,
    retentionSeconds: RETENTION_SECONDS,
    clockSkewMillis: SKEW_MILLIS,
    onExpiredLease: expired,
    onInFlight: busy === 'wait' ? { waitMillis: WAIT_MILLIS } : 'throw',
    warnings: false,
    onEvent: lane.onEvent,
  };
}
