import { getBuiltinModule } from './builtins.ts';
import type { Execution } from './core/execution/execution.ts';
import { IdempotencyError } from './errors.ts';

/** A guarded execution, and the one around it. */
interface Enclosing {
  readonly execution: Execution;
  readonly outer: Enclosing | undefined;
}

const { AsyncLocalStorage } = getBuiltinModule('node:async_hooks');
const calls = new AsyncLocalStorage<Enclosing>();

/** Runs the guarded code, so that a nested call of the same request is recognised. */
export function runInside<T>(execution: Execution, call: () => T): T {
  return calls.run({ execution, outer: enclosing() }, call);
}

/** The same for the rest of this asynchronous function: Middy calls the handler, not this package. */
export function goInside(execution: Execution): void {
  if (calls.getStore()?.execution !== execution) calls.enterWith({ execution, outer: enclosing() });
}

/**
 * Its own caller has the record, and waits for this call: neither would ever end.
 *
 * @throws IdempotencyError `IN_FLIGHT`
 */
export function refuseNested(id: string): void {
  for (let at = enclosing(); at; at = at.outer) {
    if (at.execution.handle.id === id && !at.execution.isOver()) {
      throw new IdempotencyError('IN_FLIGHT', 'This request is a part of its own execution.', {
        advice: `A guarded call of record ${id} calls itself: give the inner call another operation, or another key.`,
      });
    }
  }
}

/** The innermost execution that this call is part of. Those that have ended are forgotten: a request must not keep the one before. */
function enclosing(): Enclosing | undefined {
  let at = calls.getStore();
  while (at?.execution.isOver()) at = at.outer;
  return at;
}
