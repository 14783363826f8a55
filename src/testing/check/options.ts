import type { RecordStore } from '../../core/record/store.ts';
import type { Policy } from './judge.ts';

/** What the handler gets: the ports, and a store in memory where they have none. */
export type PortsOf<TPorts> = TPorts extends { readonly store: unknown }
  ? TPorts
  : TPorts & { readonly store: RecordStore<unknown> };

/** How calls of one effect are counted. */
export type Counting =
  /** It changes nothing. */
  | 'read'
  /** A success without it is right: a metric, for example. */
  | 'optional'
  /** The key by which its receiver recognises a repeated call; `undefined` for none. */
  | ((...args: never[]) => unknown);

/** A Lambda handler, or any function of an event. */
type HandlerOf<TEvent> = (event: TEvent, context: never) => unknown;

/** What is checked, and what counts as right. */
export interface CheckOptions<TPorts extends object, TEvent> {
  /**
   * Makes the guarded handler with the ports of the check. It is called once for each simulated process. The handler gets the
   * event and a Lambda context.
   */
  readonly handler: (ports: PortsOf<TPorts>) => HandlerOf<TEvent> | Promise<HandlerOf<TEvent>>;
  /** An event that succeeds. Every invocation gets a copy. */
  readonly event: TEvent;
  /**
   * What the handler calls: objects of async functions, functions, `fetch`, clients of the AWS SDK. Each call is a place. If
   * they keep state, give a function that makes them: each run gets its own. A port named `store` holds the guard's records.
   * By default there is a `memoryStore`.
   */
  readonly effects: TPorts | (() => TPorts | Promise<TPorts>);
  /**
   * What is accepted. `'exactly-once'`: every effect once for each key, and a retry after success is a replay. `'at-least-once'`:
   * a retry after success may call an effect again with the same key. `'at-most-once'`: after a crash, an effect may be missing,
   * and a request may stay without an answer. @default 'exactly-once'
   */
  readonly policy?: Policy;
  /**
   * By name of the call (`processor.charge`), how it counts. By default a name such as `get` or `find` is a read. Calls with the
   * same idempotency key are one effect: a member named as one, or a key from `deriveKey` as an argument or `id`.
   */
  readonly counts?: Readonly<Record<string, Counting>>;
  /** The same request with another payload. @default the event with another number in it, or with one more member */
  readonly otherPayload?: TEvent;
  /** The timeout of the Lambda function, milliseconds of simulated time. @default 30_000 */
  readonly timeoutMillis?: number;
  /** How many pairs of faults are tried, too. The seed chooses them. @default 0 */
  readonly pairs?: number;
  /** Chooses the pairs, and gives `Math.random` of the handler its numbers. @default 1 */
  readonly seed?: number;
}
