import type { IdempotencyHandle } from './handle.ts';

type Actions = Omit<IdempotencyHandle, 'leaseUntil' | 'signal'>;

interface Live {
  leaseUntil(): number;
  signal(): AbortSignal;
}

/**
 * The handle as the guarded code sees it: its functions can be taken out of it, and what changes is asked for when it is read.
 * Getters in an object literal would be new ones for every request, which V8 keeps in the hidden class of the object, and
 * with them all of the request, until it next collects everything.
 */
export class ExecutionHandle implements IdempotencyHandle {
  readonly id: string;
  readonly attempt: number;
  readonly deriveKey: IdempotencyHandle['deriveKey'];
  readonly extend: IdempotencyHandle['extend'];
  readonly step: IdempotencyHandle['step'];
  readonly complete: IdempotencyHandle['complete'];
  readonly transact: IdempotencyHandle['transact'];
  readonly #live: Live;

  constructor(actions: Actions, live: Live) {
    this.id = actions.id;
    this.attempt = actions.attempt;
    this.deriveKey = actions.deriveKey;
    this.extend = actions.extend;
    this.step = actions.step;
    this.complete = actions.complete;
    this.transact = actions.transact;
    this.#live = live;
  }

  get leaseUntil(): number {
    return this.#live.leaseUntil();
  }

  get signal(): AbortSignal {
    return this.#live.signal();
  }
}
