import type { Jsonified } from '../../json.ts';

/**
 * What the guarded code sees of its own execution. `TItem` is one write of the store's transactions: with `dynamoDBStore` an
 * entry of `TransactItems`, `never` where the store has no transactions.
 */
export interface IdempotencyHandle<TItem = never> {
  /** The record id. */
  readonly id: string;
  /** 1 for the first claim, one more at every takeover: the fencing token that downstream systems can compare. */
  readonly attempt: number;
  /** Until when only this execution may run. Epoch milliseconds; later after `extend`. */
  readonly leaseUntil: number;
  /**
   * Fires when the lease is lost. Fires, too, one second before the lease ends, unless it is extended. (In a lease shorter
   * than ten seconds, a tenth of it before the end.) Pass it to every call that can be stopped. When it has fired, a throw
   * does not release the record: what was stopped may have happened. Its `reason` is an `IdempotencyError` `LEASE_LOST`.
   * It costs nothing where it is not read.
   */
  readonly signal: AbortSignal;
  /**
   * A UUID (version 8, RFC 9562) that is the same on every attempt of this request, and differs for every name. Use it as
   * a downstream `Idempotency-Key` or `ClientToken`. It is no secret: a client that knows its key can compute it.
   */
  deriveKey(name: string): string;
  /**
   * Makes the lease last at least `millis` from now. Costs one write, or none where it does already. Without a write it does
   * not notice that an operator has released the record by force. Does nothing once the execution has settled.
   * @throws IdempotencyError `LEASE_LOST` when another execution has taken over, or this one has timed out. Then stop before
   *   the next effect.
   *   `STORE_UNAVAILABLE` when the store did not take it, although it was tried while there was time. The lease may be longer
   *   all the same.
   */
  extend(millis: number): Promise<void>;
  /**
   * Runs `fn` and keeps its result in the record. An attempt after a crash, an error or a lost answer gets the result, and
   * does not run `fn` again. Costs one write. The result is a fresh object, as a round through JSON leaves it, on the first
   * attempt, too. If the process dies before that write, the next attempt repeats the effect.
   *
   * Steps may run at the same time. A name (1 to 255 characters) stands for one effect. It can be used again in the same
   * execution only after its `fn` threw.
   *
   * @throws what `fn` throws, as it was; nothing is kept then
   * @throws IdempotencyError `LEASE_LOST` when the lease has ended, another execution has taken over, or this one has ended.
   *   Then `fn` is not run, or its result is not kept.
   *   `STORE_UNAVAILABLE` when the result could not be kept, although it was tried while there was time. If the record has no
   *   room for a result, `fn` is not run.
   *   `RESPONSE_NOT_REPLAYABLE` when JSON refuses the result or the record cannot hold it. Later attempts throw it, too, and
   *   do not run `fn` again.
   * @throws TypeError when the name is not valid, or is used twice
   */
  step<T>(name: string, fn: () => T): Promise<Jsonified<Awaited<T>>>;
  /**
   * The point of no return: stores `response` now, as what every retry gets. Nothing is executed again, even if the handler
   * throws, the invocation times out or the process dies. A throw still reaches the first caller as it is.
   *
   * Costs nothing where the handler returns the same in the end. If the caller gets another response, that is stored with
   * one more write. The `settle` policy is not asked.
   *
   * @throws IdempotencyError `LEASE_LOST` when the lease has ended, another execution has taken over, or this one has ended.
   *   `STORE_UNAVAILABLE` when the response could not be stored, although it was tried while there was time. It may be stored
   *   all the same. The end of the handler is settled as without `complete`.
   */
  complete(response: unknown): Promise<void>;
  /**
   * Writes `items` and stores `response` in one transaction: either both are there, or neither. With `dynamoDBStore`, `items`
   * are 1 to 99 entries of `TransactItems` of lib-dynamodb's `TransactWriteCommand`. From then on it is as after
   * `complete(response)`. Costs one `TransactWriteItems` (two write units for each item and KB) in place of the completion.
   *
   * @throws the SDK's `TransactionCanceledException` as it is when a condition of `items` fails. Its reasons are those of
   *   `items` in their order, and one for the record behind them. Any other mistake in `items` is thrown as it is, too.
   *   Nothing was written, and the execution goes on: the handler decides.
   * @throws IdempotencyError `LEASE_LOST` when the lease has ended, another execution has taken over, or this one has ended.
   *   Nothing was written. `STORE_UNAVAILABLE` when a try got no answer: both may be written or neither, and a retry finds
   *   out.
   * @throws TypeError when the store has no transactions, `items` is no list with members, or an outcome may be stored
   *   already
   */
  transact(items: readonly TItem[], response: unknown): Promise<void>;
}

type Actions = Omit<IdempotencyHandle, 'leaseUntil' | 'signal'>;

interface Live {
  leaseUntil(): number;
  signal(): AbortSignal;
}

/**
 * The handle as the guarded code sees it. Its functions can be destructured, and its values are read when they are needed.
 * It is a class because of its getters. V8 keeps the getters of an object literal in the object's hidden class, and with them
 * the whole request, until the next full garbage collection.
 */
export class ExecutionHandle implements IdempotencyHandle {
  declare readonly id: string;
  declare readonly attempt: number;
  declare readonly deriveKey: IdempotencyHandle['deriveKey'];
  declare readonly extend: IdempotencyHandle['extend'];
  declare readonly step: IdempotencyHandle['step'];
  declare readonly complete: IdempotencyHandle['complete'];
  declare readonly transact: IdempotencyHandle['transact'];
  readonly #live: Live;

  constructor(actions: Actions, live: Live) {
    Object.assign(this, actions);
    this.#live = live;
  }

  get leaseUntil(): number {
    return this.#live.leaseUntil();
  }

  get signal(): AbortSignal {
    return this.#live.signal();
  }
}
