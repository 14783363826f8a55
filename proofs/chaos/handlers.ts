import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyHandle } from '../../src/index.ts';
import type { TransactionItem } from '../../src/stores/dynamodb.ts';
import type { Ending } from '../../test/support/history.ts';
import type { Behaviour } from './behaviour.ts';
import { brief } from './brief.ts';
import { effectOf, refusedItem } from './effects.ts';
import { runStep, type Tell, watchLease } from './watched-handle.ts';

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
}

type Handle = IdempotencyHandle<TransactionItem>;

/** Before compression, and of what cannot be compressed. */
const MUCH_BYTES = 450_000;

/** The guarded work. Its effect is the line that `started` writes: outside of DynamoDB, before anything else. */
export async function execute(work: Work, handle: Handle, tell: Tell): Promise<object> {
  const { call, payload, behaviour } = work;
  tell({ type: 'started', attempt: handle.attempt, leaseUntil: handle.leaseUntil });
  const watch = watchLease(handle, tell);
  const much = behaviour.does === 'return much' && { much: randomBytes(MUCH_BYTES).toString('base64') };
  const response = { statusCode: 201, body: JSON.stringify({ call, payload, attempt: handle.attempt, ...much }) };
  const stores = new Stores(work, handle, response, tell);
  const how = await spend(work, handle, stores, tell).catch(() => 'throw' as const);
  watch.stop();
  const promised = (settlement: 'store' | 'release') => stores.promised(settlement, how === 'return');
  switch (how) {
    case 'return':
      tell({ type: 'ended', outcome: returned(response), ...promised('store') });
      return response;
    case 'throw':
      tell({ type: 'ended', outcome: threw(`failed: ${call}`), ...promised('release') });
      throw new Error(`failed: ${call}`);
    case 'decline':
      tell({ type: 'ended', outcome: threw(`declined: ${call}`), settlement: 'store' });
      throw new Declined(`declined: ${call}`);
  }
}

export const returned = (value: unknown): Ending => ({ kind: 'returned', text: brief(JSON.stringify(value)) });
export const threw = (text: string): Ending => ({ kind: 'threw', text });

/** How a handler stores its response before its end, and what is known of that. */
class Stores {
  readonly #work: Work;
  readonly #handle: Handle;
  readonly #response: object;
  readonly #tell: Tell;
  #isStored = false;

  constructor(work: Work, handle: Handle, response: object, tell: Tell) {
    this.#work = work;
    this.#handle = handle;
    this.#response = response;
    this.#tell = tell;
  }

  complete(): Promise<void> {
    return this.#store('complete', () => this.#handle.complete(this.#response));
  }

  transact(refused: boolean): Promise<void> {
    const items = [effectOf(this.#work.key), ...(refused ? [refusedItem()] : [])];
    return this.#store('transact', () => this.#handle.transact(items, this.#response));
  }

  promised(settlement: 'store' | 'release', isReturned: boolean) {
    if (!this.#isStored) return { settlement };
    return { settlement: 'store' as const, ...(!isReturned && { kept: returned(this.#response).text }) };
  }

  async #store(by: 'complete' | 'transact', store: () => Promise<void>): Promise<void> {
    const { text } = returned(this.#response);
    this.#tell({ type: 'finishing', by, text });
    await store();
    this.#tell({ type: 'finished', text });
    this.#isStored = true;
  }
}

async function spend(
  { call, behaviour, leaseMillis }: Work,
  handle: Handle,
  stores: Stores,
  tell: Tell,
): Promise<'return' | 'throw' | 'decline'> {
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
      await inSteps(behaviour, call, handle, tell);
      return behaviour.ends === 'die' ? die() : behaviour.ends;
    case 'transact':
      await stores.transact(behaviour.refused);
      return behaviour.ends === 'die' ? die() : behaviour.ends;
    case 'complete':
      await stores.complete();
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
  handle: Handle,
  tell: Tell,
): Promise<void> {
  const one = (name: string) =>
    runStep(handle, tell, name, async () => {
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
