import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { paymentInSteps } from '../../infra/examples/payment-in-steps.ts';
import { IdempotencyError } from '../../src/index.ts';
import {
  asFunction,
  asTransaction,
  deposit,
  type Guarded,
  type Handle,
  inMiddy,
  onlyCharge,
  type Surroundings,
} from './guarding.ts';
import { createPayment, createRefund, voidPayment } from './payments.ts';
import type { Order } from './terms.ts';
import { effectOutsideTransaction, stepsNotKept, unconditionalClaim } from './wrong.ts';

/** Renewed after two seconds. */
const RENEWED_LEASE = { leaseMillis: 6000, renewLease: true };
/** No compression makes it smaller: it has two items. */
const LARGE_BYTES = 450_000;
/** More than half of an item. */
const HALF_BYTES = 300_000;

/** Every feature, guarding a payment. */
export const GUARDS: Readonly<Record<string, (surroundings: Surroundings) => Guarded>> = {
  plain: (s) => asFunction(s, onlyCharge(s)),
  'plain, in Middy': (s) => inMiddy(s, onlyCharge(s)),
  'at most once': (s) => asFunction(s, onlyCharge(s), { onExpiredLease: 'throw' }),
  replay: (s) => asFunction(s, onlyCharge(s)),
  step: inSteps,
  'takeover of steps': inSteps,
  'step, record nearly full': nearlyFull,
  'step, then a throw': (s) =>
    asFunction(s, async (_, { attempt, step }) => {
      const reservation = await step('reserve', () => s.world.happen('reserve'));
      if (attempt === 1) throw new Error('no network');
      return { reservation, charge: await step('charge', () => s.world.happen('charge')) };
    }),
  transact: (s) =>
    inMiddy(s, async ({ id }, { transact }) => {
      const response = { statusCode: 201, body: JSON.stringify({ id }) };
      await transact([deposit(s, id)], response);
      return response;
    }),
  'transact, answer lost, then refused': (s) =>
    inMiddy(s, async ({ id }, { transact }) => {
      const response = { statusCode: 201, body: JSON.stringify({ id }) };
      // The handler cannot know whether the deposit is there: a retry finds out from the record.
      await transact([deposit(s, id)], response).catch(onlyUnavailable);
      return response;
    }),
  idempotentTransaction: asTransaction,
  'idempotentTransaction, its plan reads': (s) => asTransaction(s, { reads: true }),
  'idempotentTransaction, answer lost, then refused': asTransaction,
  complete: (s) =>
    inMiddy(s, async (_, { complete }) => {
      const response = { statusCode: 201, body: JSON.stringify(await s.world.happen('charge')) };
      await complete(response);
      await s.world.happen('mail');
      return response;
    }),
  extend: (s) =>
    asFunction(s, async (_, { extend }) => {
      const one = await s.world.happen('one');
      await extend(120_000);
      return { one, two: await s.world.happen('two') };
    }),
  renewLease: (s) => asFunction(s, renewing(s), RENEWED_LEASE),
  'owner of a waiting duplicate': waiting,
  'waiting duplicate': waiting,
  parts: (s) =>
    asFunction(s, async () => {
      const charge = await s.world.happen('charge');
      return { charge, receipt: incompressible(charge.id) };
    }),
  'POST /payments': createPayment,
  'POST /refunds': createRefund,
  'DELETE /payments': voidPayment,
  'wrong: effect outside of the transaction': effectOutsideTransaction,
  'wrong: steps are not kept': stepsNotKept,
  'wrong: a claim without its condition': unconditionalClaim,
};

/** The payment of docs/recipes/steps-and-transactions.md. */
function inSteps({ store, world }: Surroundings): Guarded {
  const stock = { reserve: () => world.happen('reserve'), confirm: () => world.happen('confirm') };
  const charge = (_: Order, { idempotencyKey }: { idempotencyKey: string }) => world.happen('charge', idempotencyKey);
  return { pay: paymentInSteps(store, { stock, processor: { charge } }) };
}

function onlyUnavailable(error: unknown): void {
  if (!(error instanceof IdempotencyError && error.code === 'STORE_UNAVAILABLE')) throw error;
}

/** Two results of this size are more than a record can hold: of the second one, only the fact that it is done is kept. */
function nearlyFull(s: Surroundings): Guarded {
  const large = (effect: string) => async () => {
    const { id } = await s.world.happen(effect);
    return { id, receipt: incompressible(id, HALF_BYTES) };
  };
  return asFunction(s, async (_, { step }) => {
    const { id } = await step('reserve', large('reserve'));
    const charged = await step('charge', large('charge')).catch(onlyNotReplayable);
    return { reserve: id, charged, confirm: await step('confirm', () => s.world.happen('confirm')) };
  });
}

function onlyNotReplayable(error: unknown): 'done' {
  if (error instanceof IdempotencyError && error.code === 'RESPONSE_NOT_REPLAYABLE') return 'done';
  throw error;
}

function renewing({ world }: Surroundings) {
  return async (_: Order, handle: Handle) => {
    const one = await world.happen('one');
    const { leaseUntil } = handle;
    while (handle.leaseUntil === leaseUntil) await sleep(10);
    return { one, two: await world.happen('two') };
  };
}

function waiting(s: Surroundings): Guarded {
  const onInFlight = s.waitMillis > 0 ? { waitMillis: s.waitMillis } : 'throw';
  return asFunction(s, onlyCharge(s), { onInFlight });
}

function incompressible(seed: string, outputLength = LARGE_BYTES): string {
  return createHash('shake256', { outputLength }).update(seed).digest('base64');
}
