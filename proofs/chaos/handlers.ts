import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyHandle } from '../../src/index.ts';
import type { TransactionItem } from '../../src/stores/dynamodb.ts';
import type { Ending } from '../lib/history.ts';
import { type Tell, WatchedHandle } from '../lib/watched-handle.ts';
import type { Behaviour } from './behaviour.ts';
import { brief } from './brief.ts';
import { itemsFor } from './effects.ts';
import type { StoreName } from './store.ts';

/** An error that is the outcome: the policy stores it. */
export class Declined extends Error {
  override readonly name = 'Declined';
  readonly statusCode = 402;
}

export interface Work {
  readonly call: string;
  readonly key: string;
  readonly payload: string;
  readonly behaviour: Behaviour;
  readonly leaseMillis: number;
  readonly store: StoreName;
}

type Handle = IdempotencyHandle<TransactionItem>;
type Watched = WatchedHandle<TransactionItem>;

const LOOK_EVERY_MILLIS = 20;

/** Before compression, and of what cannot be compressed. */
const MUCH_BYTES = 450_000;

/** The guarded work. Its effect is the line that `started` writes: outside of DynamoDB, before anything else. */
export async function execute(work: Work, handle: Handle, tell: Tell): Promise<object> {
  const { call, payload, behaviour } = work;
  const watched = new WatchedHandle(handle, tell);
  watched.watchSignal();
  const looking = setInterval(() => watched.look(), LOOK_EVERY_MILLIS);
  const much = behaviour.does === 'return much' && { much: randomBytes(MUCH_BYTES).toString('base64') };
  const response = { statusCode: 201, body: JSON.stringify({ call, payload, attempt: handle.attempt, ...much }) };
  const how = await spend(work, watched, response).catch(() => 'throw' as const);
  clearInterval(looking);
  watched.unwatchSignal();
  watched.look();
  const ended = (outcome: Ending, settlement: 'store' | 'release') =>
    tell({ type: 'ended', outcome, ...watched.promised(settlement, outcome.text, how !== 'return') });
  switch (how) {
    case 'return':
      ended(returned(response), 'store');
      return response;
    case 'throw':
      ended(threw(`failed: ${call}`), 'release');
      throw new Error(`failed: ${call}`);
    case 'decline':
      tell({ type: 'ended', outcome: threw(`declined: ${call}`), settlement: 'store' });
      throw new Declined(`declined: ${call}`);
  }
}

export const returned = (value: unknown): Ending => ({ kind: 'returned', text: brief(JSON.stringify(value)) });
export const threw = (text: string): Ending => ({ kind: 'threw', text });

async function spend(
  { call, key, behaviour, leaseMillis, store }: Work,
  handle: Watched,
  value: object,
): Promise<'return' | 'throw' | 'decline'> {
  const response = { value, text: returned(value).text };
  switch (behaviour.does) {
    case 'return':
    case 'throw':
    case 'decline':
      await sleep(behaviour.afterMillis);
      return behaviour.does;
    case 'return much':
      return 'return';
    case 'outlive':
      await sleep(leaseMillis + behaviour.byMillis);
      return behaviour.ends;
    case 'hang':
      return new Promise(() => undefined);
    case 'die':
      await sleep(behaviour.afterMillis);
      return die();
    case 'steps':
      await inSteps(behaviour, call, handle);
      return behaviour.ends === 'die' ? die() : behaviour.ends;
    case 'transact':
      // Redis has no transactions.
      if (store === 'redis') await handle.complete(response);
      else await handle.transact(itemsFor(store, key, behaviour.refused), response);
      return behaviour.ends === 'die' ? die() : behaviour.ends;
    case 'complete':
      await handle.complete(response);
      return behaviour.ends === 'die' ? die() : behaviour.ends;
    case 'extend':
      for (let turn = 0; turn < behaviour.times; turn++) {
        await sleep(leaseMillis / 2);
        // A lease that cannot be extended still lasts as long as it did.
        await handle.extend(leaseMillis).catch(() => undefined);
      }
      return 'return';
  }
}

async function inSteps(
  { names, atOnce, eachMillis, fails }: Extract<Behaviour, { does: 'steps' }>,
  call: string,
  handle: Watched,
): Promise<void> {
  const one = (name: string) =>
    handle.step(name, async () => {
      await sleep(eachMillis);
      if (name === fails) throw new Error(`step ${name} failed: ${call}`);
      return `${name} by ${call}`;
    });
  if (atOnce) await Promise.all(names.map(one));
  else for (const name of names) await one(name);
}

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
