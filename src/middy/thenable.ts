/**
 * A value with a `then` that is no `Promise`: a query of a database library, or a promise of another library. Middy passes
 * it on as it is, and the caller gets what it resolves to.
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
