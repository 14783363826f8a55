import { setTimeout as sleep } from 'node:timers/promises';
import middy from '@middy/core';
import { IdempotencyError, idempotency, idempotent, type RecordStore } from '../../src/index.ts';
import type { Tally } from './tally.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}

/** One call of the guarded work, which notes here that it was this one that executed. */
interface Call extends Order {
  readonly mark: { hasExecuted: boolean };
}

/** Work that is guarded in one of the two ways. */
export interface Guard {
  readonly name: string;
  /** How often each key was executed. Whoever has looked deletes it. */
  readonly executions: Map<string, number>;
  /** Calls once, tallies the answer, and says what kind it was: `executed`, `replayed`, or the code of an error. */
  call(order: Order, tally: Tally): Promise<string>;
}

const INVOCATION_MILLIS = 60_000;

/** @param workMillis how long an execution takes; 0: it ends at once */
export function createGuards(store: RecordStore, workMillis: number): Guard[] {
  const options = { store, key: 'id', fingerprint: 'amount' };
  return [
    guard('idempotent', (work) =>
      idempotent(work, { ...options, operation: 'function', leaseMillis: INVOCATION_MILLIS }),
    ),
    guard('Middy', (work) => {
      const lambda = middy<Call>()
        .use(idempotency({ ...options, operation: 'lambda' }))
        .handler(work);
      return (call) => {
        const deadline = performance.now() + INVOCATION_MILLIS;
        const context = { getRemainingTimeInMillis: () => deadline - performance.now() };
        return lambda(call, context as Parameters<typeof lambda>[1]);
      };
    }),
  ];

  function guard(
    name: string,
    way: (work: (call: Call) => Promise<object>) => (call: Call) => Promise<unknown>,
  ): Guard {
    const executions = new Map<string, number>();
    const guarded = way(async ({ id, amount, mark }) => {
      mark.hasExecuted = true;
      executions.set(id, (executions.get(id) ?? 0) + 1);
      if (workMillis > 0) await sleep(workMillis);
      return { id, amount };
    });
    return {
      name,
      executions,
      async call({ id, amount }, tally) {
        const startedAt = performance.now();
        const mark = { hasExecuted: false };
        let kind: string;
        try {
          const response = (await guarded({ id, amount, mark })) as Order;
          const isRight = response.id === id && response.amount === amount;
          kind = !isRight ? 'wrong response' : mark.hasExecuted ? 'executed' : 'replayed';
        } catch (error) {
          kind = error instanceof IdempotencyError ? error.code : `unexpected ${error}`;
        }
        tally.add(kind, performance.now() - startedAt);
        return kind;
      },
    };
  }
}
