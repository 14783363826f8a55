import type { Jsonified } from '../../json.ts';

/**
 * What the guarded code sees of its own execution. `TItem` is what the store's transactions are made of: with
 * `dynamoDBStore`, entries of `TransactItems`; `never` where the store has no transactions.
 */
export interface IdempotencyHandle<TItem = never> {
  /** The record id. */
  readonly id: string;
  /** 1 for the first claim, one more at every takeover: the fencing number that downstream systems can compare. */
  readonly attempt: number;
  /** Until when this execution alone may run. Epoch milliseconds; later after `extend`. */
  readonly leaseUntil: number;
  /**
   * Fires when the lease is lost, and while this execution is still alone: a second before the lease ends (a tenth of a
   * lease that is shorter than ten seconds) unless it is extended. Give it to what can be stopped. When it has fired, a
   * throw does not release the record: what was stopped may have happened. Its `reason` is an `IdempotencyError`
   * `LEASE_LOST`. Costs nothing where it is not read.
   */
  readonly signal: AbortSignal;
  /**
   * A UUID (version 8, RFC 9562) that is the same on every attempt of this request and differs for every name: for a
   * downstream `Idempotency-Key` or `ClientToken`.
   */
  deriveKey(name: string): string;
  /**
   * Makes the lease last at least `millis` from now. Costs one write, and none where it does already: then it does not find
   * out whether a person has released the record by force. Does nothing once the execution has settled.
   * @throws IdempotencyError `LEASE_LOST` when another execution has taken over, or the caller was told that this one had
   *   timed out: stop before the next effect.
   */
  extend(millis: number): Promise<void>;
  /**
   * Runs `fn` and keeps its result in the record, so that an attempt after a crash, an error or a lost answer gets the
   * result and does not run it again. Costs one write; the result comes as a round through JSON leaves it, a fresh
   * object, on the first attempt, too. An effect whose process dies before that write is repeated by the next attempt.
   *
   * Steps may run at the same time. A name (1 to 255 characters) stands for one effect: it can be used again in the same
   * execution only after its `fn` threw.
   *
   * @throws what `fn` throws, as it was; nothing is kept then
   * @throws IdempotencyError `LEASE_LOST` when the lease is over, another execution has taken over, or this one has ended:
   *   `fn` is not run, or its result is not kept. `STORE_UNAVAILABLE` when the result could not be kept, although it was
   *   tried while there was time. `RESPONSE_NOT_REPLAYABLE` when JSON refuses the result or the record cannot hold it:
   *   on this attempt and on every later one, which do not run `fn` again.
   * @throws TypeError when the name is none, or is used twice
   */
  step<T>(name: string, fn: () => T): Promise<Jsonified<Awaited<T>>>;
  /**
   * The point of no return: stores `response` now, as what every retry gets. Whatever happens from here on (the handler
   * throws, the invocation times out, the process dies), nothing is executed again; a throw still reaches the first caller
   * as it is. Costs nothing where the handler returns the same in the end, and one more write where it returns, or a
   * middleware makes of it, something else: that is stored then, because it is what the caller saw. The `settle` policy
   * is not asked.
   *
   * @throws IdempotencyError `LEASE_LOST` when the lease is over, another execution has taken over, or this one has ended.
   *   `STORE_UNAVAILABLE` when the response could not be stored, although it was tried while there was time: it may be
   *   stored all the same, and the end of the handler is settled as without `complete`.
   */
  complete(response: unknown): Promise<void>;
  /**
   * Writes `items` and stores `response`, all in one transaction: either the effect and the outcome are both there, or
   * neither. With `dynamoDBStore`, `items` are 1 to 99 entries of `TransactItems` of lib-dynamodb's
   * `TransactWriteCommand`. From then on it is as after `complete(response)`. Costs one `TransactWriteItems` (two write
   * units for each item and KB) in place of the completion.
   *
   * @throws the SDK's `TransactionCanceledException` as it is when a condition of `items` fails, with the reasons of
   *   `items` in their order and one for the record behind them; or what else is wrong with `items`. Nothing was written,
   *   and the execution goes on: it is for the handler to decide.
   * @throws IdempotencyError `LEASE_LOST` when the lease is over, another execution has taken over, or this one has ended.
   *   Nothing was written. `STORE_UNAVAILABLE` when there was no answer, although it was tried while there was time: both
   *   may be written or none, a retry finds out.
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
