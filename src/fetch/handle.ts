import type { IdempotencyHandle } from '../core/execution/handle.ts';
import { storedForm } from './response.ts';

/** The handle of a route: `complete` and `transact` take its `Response`, of which they store a copy. */
export interface RouteHandle<TItem = never> extends IdempotencyHandle<TItem> {
  complete(response: Response): Promise<void>;
  transact(items: readonly TItem[], response: Response): Promise<void>;
}

export function routeHandle(handle: IdempotencyHandle): RouteHandle {
  const { id, attempt, deriveKey, extend, step, complete, transact } = handle;
  return {
    id,
    attempt,
    deriveKey,
    extend,
    step,
    complete: async (response) => complete(await storedForm(response.clone())),
    transact: async (items, response) => transact(items, await storedForm(response.clone())),
    get leaseUntil() {
      return handle.leaseUntil;
    },
    get signal() {
      return handle.signal;
    },
  };
}
