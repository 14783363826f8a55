/**
 * What is no `Promise`, and yet waits for somebody: a query of a database library, or a promise of another library. Middy hands it
 * on as it is, and Lambda's caller gets what it becomes.
 */
export type Thenable = PromiseLike<unknown> & object;

export function isThenable(value: unknown): value is Thenable {
  try {
    return (
      ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      typeof (value as { then?: unknown }).then === 'function'
    );
  } catch {
    return false;
  }
}

const begun = new WeakMap<object, Promise<unknown>>();

/** Waits for it once, however many ask: the `then` of a query is what sends it. */
export function outcomeOf(thenable: Thenable): Promise<unknown> {
  const running = begun.get(thenable) ?? Promise.resolve(thenable);
  begun.set(thenable, running);
  return running;
}
