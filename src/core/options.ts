import { optionError, shown, wrongOption } from '../errors.ts';
import { isObject } from '../json.ts';
import type { IdempotencyEvent } from './events.ts';
import type { Outcome, ReplayFormat } from './record/outcome.ts';
import type { Identity } from './record/record.ts';
import type { RecordStore } from './record/store.ts';
import type { Runtime } from './runtime.ts';

/** `'store'`: a retry gets this outcome. `'release'`: a retry executes. `'hold'`: the lease is left to run out. */
export type Settlement = 'store' | 'release' | 'hold';

/** Records of another package that count, too: `powertoolsRecords(…)` of `middy-idempotency/powertools`. */
export interface MigrationSource {
  /** Whose records they are. */
  readonly name: string;
  /**
   * Called once, at construction, with the guard's options.
   * @throws TypeError where they do not fit
   * @internal
   */
  attach(
    options: ResolvedProtocolOptions,
    runtime: Runtime,
    given: { readonly scope?: unknown; readonly fingerprint?: unknown },
  ): StoreOfRequest;
}

/**
 * The store of one request: the guard's own, with the records of the other package in front of it. `args`: what the selectors
 * read. They are read at once: the event may be changed later.
 */
type StoreOfRequest = (identity: Identity, args: readonly unknown[], format: ReplayFormat) => RecordStore;

/** The options of the protocol. Those that read the request are in `request-key/request-options.ts`. */
export interface ProtocolOptions<TItem = never> {
  /** Where the records live. A store may serve any number of guards. */
  readonly store: RecordStore<TItem>;
  /** How long a stored outcome is replayed. @default 86_400 (a day) */
  readonly retentionSeconds?: number;
  /**
   * How long an execution may take before another one may take over. Outside Lambda, set it to more than the longest
   * execution. @default the invocation's remaining time where it is known and positive, else 60_000
   */
  readonly leaseMillis?: number;
  /** How far the clocks of two hosts may be apart without breaking a promise. @default 1000 */
  readonly clockSkewMillis?: number;
  /**
   * What a request does when another execution of it is running. `'throw'`: it fails with `IN_FLIGHT`. `{ waitMillis }`: it
   * waits so long for the outcome. If the other execution releases the record or its lease ends, the waiting request executes.
   * Allow enough time: a duplicate never waits longer than its own invocation. @default 'throw'
   */
  readonly onInFlight?: 'throw' | { readonly waitMillis: number };
  /**
   * What a request does when the lease of an earlier execution ended before it settled: the process crashed, or it is still
   * running. `'run'` executes again. `'throw'` fails with `OUTCOME_UNKNOWN` until an operator has resolved the record
   * (`releaseRecord`, `completeRecord`, `npx middy-idempotency`). Such a record does not expire with the retention.
   *
   * `'throw'` makes the work at most once together with a `settle` that holds errors: by default, a retry after an error
   * executes. @default 'run'
   */
  readonly onExpiredLease?: 'run' | 'throw';
  /**
   * What becomes of an execution that has ended. Asked once, with what the handler returned or threw. `hasEffects`: the
   * execution has begun a step, or has stored its response by `complete` or `transact`, or may have.
   * @default `'store'` for a returned value, `'release'` for a thrown error
   */
  readonly settle?: (outcome: Outcome, hasEffects: boolean) => Settlement;
  /**
   * Keeps outcomes in memory, so that this process replays them without a request: at most `maxEntries`, each with its whole
   * response, never beyond its retention. A record that was deleted from the store is still replayed. @default off
   */
  readonly cache?: { readonly maxEntries: number };
  /** Where the records are that another package has written for the same requests. @default none */
  readonly migrateFrom?: MigrationSource;
  /** Called for everything that happens to a record: metrics, logs. Its failures are ignored. @default none */
  readonly onEvent?: (event: IdempotencyEvent) => unknown;
  /**
   * Whether failures that the caller cannot see are logged as process warnings (`MIDDY_IDEMPOTENCY_FAILURE`).
   * Set it to `false` only where `onEvent` reports them. @default true
   */
  readonly warnings?: boolean;
  /**
   * Whether an operator can switch this guard off: where the variable `MIDDY_IDEMPOTENCY_DISABLED` is `true` when the process
   * starts. Then every request is executed, as often as it comes, and the store gets no request. The handle works: steps run,
   * derived keys are the same, and `transact` writes its items. A key that is missing or malformed is still refused. Each
   * process logs a warning, and each request is an event `unguarded`. Refused with `onExpiredLease: 'throw'`.
   * @default false
   */
  readonly allowDisabling?: boolean;
}

export interface ResolvedProtocolOptions {
  readonly store: RecordStore;
  readonly retentionMillis: number;
  readonly leaseMillis: number | undefined;
  readonly clockSkewMillis: number;
  /** How long a duplicate waits; 0 where it does not. */
  readonly waitMillis: number;
  readonly onExpiredLease: 'run' | 'throw';
  readonly settle: ProtocolOptions['settle'] | undefined;
  readonly cache: { readonly maxEntries: number } | undefined;
  readonly onEvent: ((event: IdempotencyEvent) => unknown) | undefined;
}

export const PROTOCOL_OPTION_NAMES = [
  'store',
  'retentionSeconds',
  'leaseMillis',
  'clockSkewMillis',
  'onInFlight',
  'onExpiredLease',
  'settle',
  'cache',
  'migrateFrom',
  'onEvent',
  'warnings',
  'allowDisabling',
] as const satisfies readonly (keyof ProtocolOptions)[];

export const DEFAULT_CLOCK_SKEW_MILLIS = 1000;
export const YEAR_MILLIS = 365 * 86_400_000;
/** Longer is a mistake in the unit. */
const MAX_YEARS = 100;

const STORE_VERBS = ['insert', 'replace', 'remove', 'read'] as const;

/** Checks and completes the options, once, at construction. @throws TypeError that names the wrong option */
export function resolveProtocolOptions(options: ProtocolOptions): ResolvedProtocolOptions {
  const {
    store,
    retentionSeconds = 86_400,
    leaseMillis,
    clockSkewMillis = DEFAULT_CLOCK_SKEW_MILLIS,
    onInFlight = 'throw',
    onExpiredLease = 'run',
    settle,
    cache,
    migrateFrom,
    onEvent,
    warnings = true,
    allowDisabling = false,
  } = options;
  if (STORE_VERBS.some((verb) => typeof store?.[verb] !== 'function')) {
    throw optionError('store', 'is required: a RecordStore, such as dynamoDBStore({ tableName })');
  }
  requireNumber('retentionSeconds', retentionSeconds, (MAX_YEARS * YEAR_MILLIS) / 1000);
  if (leaseMillis !== undefined) requireNumber('leaseMillis', leaseMillis, YEAR_MILLIS);
  requireNumber('clockSkewMillis', clockSkewMillis, YEAR_MILLIS, 0);
  requireOneOf('onExpiredLease', onExpiredLease, ['run', 'throw']);
  const mayExecuteTwice = store.durability ?? (allowDisabling && 'excludes allowDisabling');
  if (onExpiredLease === 'throw' && mayExecuteTwice) throw optionError('onExpiredLease', mayExecuteTwice);
  requireFunctionIfGiven('settle', settle);
  if (cache !== undefined) requireCache(cache);
  if (migrateFrom !== undefined && !migrateFrom?.attach) {
    throw wrongOption('migrateFrom', 'powertoolsRecords({ … })', migrateFrom);
  }
  requireFunctionIfGiven('onEvent', onEvent);
  requireOneOf('warnings', warnings, [true, false]);
  requireOneOf('allowDisabling', allowDisabling, [true, false]);
  return {
    store,
    retentionMillis: retentionSeconds * 1000,
    leaseMillis,
    clockSkewMillis,
    waitMillis: waitMillisOf(onInFlight),
    onExpiredLease,
    settle,
    cache,
    onEvent,
  };
}

function waitMillisOf(onInFlight: unknown): number {
  if (onInFlight === 'throw') return 0;
  const { waitMillis = 0 } = (onInFlight ?? {}) as { readonly waitMillis?: number };
  if (Object.keys(onInFlight ?? {}).join() !== 'waitMillis') {
    throw wrongOption('onInFlight', "'throw' or { waitMillis }", onInFlight);
  }
  requireNumber('onInFlight.waitMillis', waitMillis, YEAR_MILLIS);
  return waitMillis;
}

/** More would be a mistake: no Lambda function has the memory for so many responses. */
const MAX_CACHE_ENTRIES = 1_000_000;

function requireCache(cache: unknown): void {
  if (Object.keys(cache ?? {}).join() !== 'maxEntries') throw wrongOption('cache', '{ maxEntries }', cache);
  const { maxEntries } = cache as { maxEntries?: unknown };
  requireNumber('cache.maxEntries', maxEntries, MAX_CACHE_ENTRIES, 1);
  if (!Number.isInteger(maxEntries)) throw wrongOption('cache.maxEntries', 'an integer', maxEntries);
}

/** Refuses what is no option: a misspelt one would be ignored in silence. */
export function refuseUnknownOptions(options: unknown, known: readonly string[]): void {
  if (!isObject(options) || Array.isArray(options)) {
    throw wrongOption('options', 'an object', options);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw optionError(name, `is not known. Known are ${known.join(', ')}`);
  }
}

/** By default the number must be above 0. */
export function requireNumber(option: string, value: unknown, atMost: number, atLeast?: number): void {
  if (typeof value === 'number' && (atLeast === undefined ? value > 0 : value >= atLeast) && value <= atMost) return;
  const bound = atLeast === undefined ? 'above 0' : `at least ${atLeast}`;
  throw wrongOption(option, `a finite number ${bound} and at most ${atMost}`, value);
}

export function requireOneOf(option: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) {
    throw wrongOption(option, allowed.map(shown).join(' or '), value);
  }
}

export function requireFunctionIfGiven(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrongOption(option, 'a function', value);
}
