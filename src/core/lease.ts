import type { ExecutionContext } from './execution.ts';
import { expirationAt } from './expiration.ts';
import type { Checkpoints, InProgressRecord } from './record.ts';
import type { Expected } from './store.ts';
import { storeFailure } from './store-failure.ts';
import type { Writing } from './writing.ts';

/** `'settled'`: this execution has completed or released it already. `'lost'`: the record is in somebody else's hands. */
type Written = 'written' | 'settled' | 'lost';

/** The record of a running execution. Its writes carry all of it, and go one after the other. */
export interface Lease {
  /** Until when this execution alone may run, as far as it knows. Epoch milliseconds. */
  until(): number;
  /** The checkpoints, those included whose write has failed: the next write carries them. */
  checkpoints(): Checkpoints;
  /** Makes the lease last `millis` from now; writes nothing where it does already. */
  extend(millis: number): Promise<Written>;
  /** Adds a checkpoint, and tries to write it while there is time. */
  checkpoint(name: string, text: string): Promise<Written>;
}

export function createLease(context: ExecutionContext, { persist, write }: Writing): Lease {
  const { options, runtime, record } = context;
  const checkpoints = new Map(Object.entries(record.checkpoints ?? {}));
  let until = record.leaseUntil;
  /** The lease that was proposed last. The store may or may not have it. */
  let proposed = until;
  let turn: Promise<unknown> = Promise.resolve();

  return {
    until: () => until,
    checkpoints: () => Object.fromEntries(checkpoints),
    extend: (millis) =>
      inTurn(async () => {
        const wanted = runtime.now() + millis;
        // While it lasts, nobody can have taken over: there is nothing to find out either.
        if (wanted <= until) return 'written';
        return put(proposal(wanted));
      }),
    checkpoint: (name, text) =>
      inTurn(async () => {
        checkpoints.set(name, text);
        const next = proposal(until);
        try {
          return await persist((least) => put(next, least));
        } catch (error) {
          // What the store never takes must not be in the way of later writes.
          if (storeFailure(error).recordRefused === true) checkpoints.delete(name);
          throw error;
        }
      }),
  };

  /** One at a time: of two that overlap, the older could be written last. */
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = turn.then(action);
    turn = result.catch(() => undefined);
    return result;
  }

  /** No two writes have the same lease: a write whose answer was lost is recognised by it when it is met again. */
  function proposal(wanted: number): InProgressRecord {
    proposed = Math.max(proposed + 1, wanted);
    const { checkpoints: _, ...rest } = record;
    return {
      ...rest,
      leaseUntil: proposed,
      expiration: expirationAt(runtime.now(), options, proposed),
      ...(checkpoints.size > 0 && { checkpoints: Object.fromEntries(checkpoints) }),
    };
  }

  async function put(next: InProgressRecord, least?: number): Promise<Written> {
    for (;;) {
      // Without the lease that is expected, a write that was given up and arrives late would undo a later one.
      const expected: Expected = { owner: record.owner, status: 'IN_PROGRESS', leaseUntil: until };
      const answer = await write(() => options.store.replace(next, expected), least);
      if (answer.done) break;
      const { existing } = answer;
      if (existing?.owner !== record.owner) return 'lost';
      if (existing.status !== 'IN_PROGRESS') return 'settled';
      if (existing.leaseUntil <= until) throw storeFailure(new Error('the store contradicts itself'));
      // This write or an earlier one was applied although its answer never came.
      until = existing.leaseUntil;
    }
    until = next.leaseUntil;
    return 'written';
  }
}
