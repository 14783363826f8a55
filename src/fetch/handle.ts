import type { IdempotencyHandle } from '../core/execution/handle.ts';
import { storedForm } from './response.ts';

/** The handle of a route: `complete` and `transact` take its `Response`, of which they store a copy. */
export interface RouteHandle<TItem = never> extends IdempotencyHandle<TItem> {
  complete(response: Response): Promise<void>;
  transact(items: readonly TItem[], response: Response): Promise<void>;
}

/** @param storing gets what the route has begun to store. A copy is read first: until then, the execution knows nothing of it */
export function routeHandle(handle: IdempotencyHandle, storing: Promise<void>[]): RouteHandle {
  const { id, attempt, deriveKey, extend, step, complete, transact } = handle;
  async function stored(response: Response, store: (copy: unknown) => Promise<void>): Promise<void> {
    const done = storedForm(response.clone()).then(store);
    storing.push(done);
    return done;
  }
  return {
    id,
    attempt,
    deriveKey,
    extend,
    step,
    complete: (response) => stored(response, complete),
    transact: (items, response) => stored(response, (copy) => transact(items, copy)),
    get leaseUntil() {
      return handle.leaseUntil;
    },
    get signal() {
      return handle.signal;
    },
  };
}
