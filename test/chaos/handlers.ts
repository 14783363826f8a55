import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyHandle } from '../../src/index.ts';
import type { Ending, HistoryEvent } from '../support/history.ts';
import type { Random } from './random.ts';

/** What a handler does. */
export type Behaviour =
  | { readonly does: 'return' | 'throw' | 'decline'; readonly afterMillis: number }
  /** Works longer than its first lease, and extends it in time. */
  | { readonly does: 'extend'; readonly times: number }
  /** Works longer than its lease, and does not know. */
  | { readonly does: 'outlive'; readonly byMillis: number; readonly ends: 'return' | 'throw' }
  /** Never ends. */
  | { readonly does: 'hang' }
  /** Its process is killed while it works. */
  | { readonly does: 'die'; readonly afterMillis: number };

export function chooseBehaviour(random: Random): Behaviour {
  return random.weighted<() => Behaviour>([
    [50, () => ({ does: 'return', afterMillis: random.between(0, 60) })],
    [12, () => ({ does: 'return', afterMillis: random.between(100, 700) })],
    [10, () => ({ does: 'throw', afterMillis: random.between(0, 200) })],
    [4, () => ({ does: 'decline', afterMillis: random.between(0, 200) })],
    [8, () => ({ does: 'extend', times: random.between(2, 4) })],
    [
      10,
      () => ({ does: 'outlive', byMillis: random.between(50, 2000), ends: random.next() < 0.7 ? 'return' : 'throw' }),
    ],
    [5, () => ({ does: 'hang' })],
    [1, () => ({ does: 'die', afterMillis: random.between(0, 100) })],
  ])();
}

/** An error that is the outcome: the policy stores it. */
export class Declined extends Error {
  override readonly name = 'Declined';
  readonly statusCode = 402;
}

export interface Work {
  readonly call: string;
  readonly payload: string;
  readonly behaviour: Behaviour;
  readonly leaseMillis: number;
}

type Tell = (event: Told) => void;
type Told = { [T in 'started' | 'extended' | 'ended']: Omit<Extract<HistoryEvent, { type: T }>, 'at' | 'call'> }[
  | 'started'
  | 'extended'
  | 'ended'];

/** The guarded work. Its effect is the line that `started` writes: outside of DynamoDB, before anything else. */
export async function execute(work: Work, handle: IdempotencyHandle, tell: Tell): Promise<object> {
  const { call, payload, behaviour, leaseMillis } = work;
  tell({ type: 'started', attempt: handle.attempt, leaseUntil: handle.leaseUntil });
  const how = await spend(behaviour, leaseMillis, handle, tell);
  const response = { statusCode: 201, body: JSON.stringify({ call, payload, attempt: handle.attempt }) };
  switch (how) {
    case 'return':
      tell({ type: 'ended', outcome: returned(response), settlement: 'store' });
      return response;
    case 'throw':
      tell({ type: 'ended', outcome: threw(`failed: ${call}`), settlement: 'release' });
      throw new Error(`failed: ${call}`);
    case 'decline':
      tell({ type: 'ended', outcome: threw(`declined: ${call}`), settlement: 'store' });
      throw new Declined(`declined: ${call}`);
  }
}

export const returned = (value: unknown): Ending => ({ kind: 'returned', text: JSON.stringify(value) });
export const threw = (text: string): Ending => ({ kind: 'threw', text });

async function spend(
  behaviour: Behaviour,
  leaseMillis: number,
  handle: IdempotencyHandle,
  tell: Tell,
): Promise<'return' | 'throw' | 'decline'> {
  switch (behaviour.does) {
    case 'return':
    case 'throw':
    case 'decline':
      await sleep(behaviour.afterMillis);
      return behaviour.does;
    case 'outlive':
      await sleep(leaseMillis + behaviour.byMillis);
      return behaviour.ends;
    case 'hang':
      return new Promise(() => undefined);
    case 'die':
      await sleep(behaviour.afterMillis);
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    case 'extend':
      for (let turn = 0; turn < behaviour.times; turn++) {
        await sleep(leaseMillis / 2);
        // A lease that cannot be extended still lasts as long as it did.
        const isExtended = await handle.extend(leaseMillis).then(
          () => true,
          () => false,
        );
        if (isExtended) tell({ type: 'extended', leaseUntil: handle.leaseUntil });
      }
      return 'return';
  }
}
