/** How a handler may end. `hold`: it returns, and the `settle` option says to hold. */
export type End = 'return' | 'throw' | 'hold';

/** What the `settle` option says of it. */
export const SETTLEMENTS = { return: 'store', throw: 'release', hold: 'hold' } as const;

/** How the plan of an `idempotentTransaction` may end. `refuse`: it returns, and a condition of its items fails. */
export type PlanEnd = 'return' | 'throw' | 'refuse';

/** What may go wrong with a request or its answer, beyond being late, which it may always be. */
export type NetworkFault =
  | 'lost request'
  | 'stalled request'
  | 'hanging request'
  | 'refusal'
  | 'lost answer'
  | 'hanging answer';

/** One bounded world: every schedule that is possible in it is explored. */
export interface Configuration {
  readonly name: string;
  /** The function wrapper, or the middleware with a hook behind the handler that throws and another one that answers. */
  readonly entry: 'function' | 'middy';
  readonly leaseMillis: number;
  readonly retentionSeconds: number;
  readonly clockSkewMillis: number;
  readonly onExpiredLease: 'run' | 'throw';
  readonly waitMillis: number;
  /** One execution each, under the same key: what its host's clock shows, less true time. */
  readonly offsets: readonly number[];
  /** What each of them asks for. */
  readonly payloads: readonly string[];
  /** Which of them are an `idempotentTransaction`: they make a plan, and write once. The others claim. */
  readonly transactions: readonly boolean[];
  /** Every way in which their plans may end, and whether they read the record first. */
  readonly plans: readonly PlanEnd[];
  readonly lookFirst: boolean;
  /** Whether each handler runs a step before its end. The step returns, or throws. */
  readonly step: boolean;
  /** Every way in which a handler may end, and the extensions of its lease that it may ask for before. */
  readonly ends: readonly End[];
  readonly extensions: readonly number[];
  /** Whether each execution may crash, at every await. */
  readonly crashes: boolean;
  /** How many network faults there may be, all in all. */
  readonly faults: number;
  /** How often the SDK sends a request, all in all. */
  readonly sdkTries: number;
  /** Whether the table's TTL may delete the record once it is expired. */
  readonly deletions: boolean;
  /** How often time may go past a timer that is due: a process that stood still. */
  readonly pauses: number;
  /** How often time may go on without a timer: requests, answers and handlers that are slow. */
  readonly waits: number;
}

const BASE: Configuration = {
  name: '',
  entry: 'function',
  leaseMillis: 4000,
  retentionSeconds: 3600,
  clockSkewMillis: 1000,
  onExpiredLease: 'run',
  waitMillis: 0,
  offsets: [0, 0],
  payloads: ['p', 'p', 'p'],
  transactions: [false, false, false],
  plans: ['return', 'throw', 'refuse'],
  lookFirst: false,
  step: false,
  ends: ['return', 'throw'],
  extensions: [],
  crashes: true,
  faults: 0,
  sdkTries: 2,
  deletions: false,
  pauses: 0,
  waits: 2,
};

export function configuration(name: string, changes: Partial<Configuration>): Configuration {
  return { ...BASE, name, ...changes };
}
