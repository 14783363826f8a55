import type { Choices } from './choices.ts';
import { chooseScript, PLAIN_SCRIPT, type Script, type StoreName } from './script.ts';

export type { Script } from './script.ts';

/** What may go wrong. Each schedule has some of these, so that each is met without the others, too. */
export const FAULTS = [
  'lost answer',
  'lost request',
  'stalled request',
  'hanging request',
  'hanging answer',
  'throttling',
  'refusal',
  'crash',
  'TTL',
  'pause',
  'lost part',
  'expired credentials',
  'outage',
  'clock step',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface CallPlan {
  readonly id: string;
  readonly host: number;
  readonly key: string;
  readonly payload: string;
  readonly script: Script;
  readonly probe: boolean;
}

/** One schedule's setup: all that is fixed before it begins. */
export interface Plan {
  /** The function wrapper; the middleware; the middleware where each process has one request, and ends in time. */
  readonly entry: 'function' | 'middy' | 'lambda';
  /**
   * A table of records; or a store itself, with a client of which only the connection is simulated.
   * @default 'records'
   */
  readonly store?: StoreName;
  /** Where the store is `postgres`: whether an `idempotentTransaction` is that of PostgreSQL. @default false */
  readonly worksInSql?: boolean;
  readonly leaseMillis: number;
  readonly retentionSeconds: number;
  readonly clockSkewMillis: number;
  readonly onExpiredLease: 'run' | 'throw';
  /** How long a duplicate waits. @default 0: it does not */
  readonly waitMillis?: number;
  /** Whether the endpoint sends no item with a failed condition. Only where the store is `dynamodb`. @default false */
  readonly withoutItems?: boolean;
  /** How large the checkpoints of a record may become, where the store is `records`. @default without a limit */
  readonly roomBytes?: number;
  /** Of an `idempotentTransaction`: whether it reads the record before it makes its plan. @default false */
  readonly lookFirst?: boolean;
  /** With the function wrapper: whether leases are renewed. @default false */
  readonly renewLease?: boolean;
  /** Whether the table knows a transaction again by its token, as DynamoDB does for ten minutes. @default false */
  readonly remembersTokens?: boolean;
  readonly faults: ReadonlySet<Fault>;
  /** What each host's clock shows, less true time. */
  readonly offsets: readonly number[];
  /** What a host's clock may show after a step, less true time. @default none steps */
  readonly clockSteps?: readonly number[];
  /** What the table's clock shows, less true time: TTL goes by it. */
  readonly tableOffset: number;
  /** How often the SDK sends a request, all in all. */
  readonly sdkTries: number;
  readonly calls: readonly CallPlan[];
}

const SKEW = 1000;
const HOUR = 3_600_000;

export interface PlanLimits {
  /** Whether the clocks may be further apart than the tolerance. */
  readonly beyondTolerance: boolean;
}

export function choosePlan(choices: Choices, { beyondTolerance }: PlanLimits): Plan {
  const oneOf = <T>(...options: readonly (readonly [T, number])[]): T => {
    const chosen = options[choices.choose(options.map(([, weight]) => weight))];
    if (chosen === undefined) throw new Error('a choice of nothing');
    return chosen[0];
  };
  const chance = (percent: number) => oneOf([false, 100 - percent], [true, percent]);

  const entry = oneOf(['function', 40], ['middy', 30], ['lambda', 30]) as Plan['entry'];
  const store = oneOf(['records', 70], ['postgres', 10], ['redis', 10], ['dynamodb', 10]) as StoreName;
  const withoutItems = store === 'dynamodb' && chance(30);
  const leaseMillis = oneOf([20_000, 5], [4000, 3], [60_000, 1]);
  const retentionSeconds = oneOf([3600, 5], [30, 3], [1, 2]);
  const onExpiredLease = oneOf(['run', 75], ['throw', 25]) as Plan['onExpiredLease'];
  const waitMillis = oneOf([0, 70], [leaseMillis / 2, 10], [leaseMillis * 2, 10], [300, 10]);
  const renewLease = entry === 'function' && chance(25);
  const remembersTokens = chance(50);
  const isFaulty = chance(90);
  const faults = new Set(isFaulty ? FAULTS.filter(() => chance(35)) : []);
  const offset = () => oneOf([0, 4], [1, 1], [SKEW / 2, 1], [SKEW - 1, 1], [SKEW, 3]);
  const farOffset = () => oneOf([0, 3], [SKEW * 3, 1], [-SKEW * 3, 1], [leaseMillis + SKEW * 2, 1]);
  const offsets = Array.from({ length: oneOf([2, 3], [1, 1], [3, 2]) }, beyondTolerance ? farOffset : offset);
  const isContended = chance(70);
  const onePayload = chance(80);
  const roomBytes = store === 'records' && chance(20) ? oneOf([440, 1], [700, 1], [1000, 1]) : undefined;
  const most = store === 'postgres' ? 45 : 15;
  const transactions = store === 'redis' ? 0 : oneOf([0, 70], [40, 15], [100, most]);
  const lookFirst = transactions > 0 && chance(25);
  const worksInSql = store === 'postgres' && transactions > 0 && chance(60);
  const hasLimit = roomBytes !== undefined;
  const nextScript = chooseScript({ oneOf, chance, entry, store, leaseMillis, hasLimit, transactions });
  const calls = Array.from({ length: oneOf([2, 4], [3, 4], [4, 2], [5, 1], [6, 1]) }, (_, index) => ({
    id: `${index + 1}`,
    host: oneOf(...offsets.map((_, host) => [host, 1] as const)),
    key: isContended ? 'A' : oneOf(['A', 2], ['B', 1]),
    payload: onePayload ? 'p' : oneOf(['p', 2], ['q', 1]),
    script: nextScript(),
    probe: false,
  }));
  return {
    entry,
    store,
    withoutItems,
    ...(roomBytes !== undefined && { roomBytes }),
    leaseMillis,
    retentionSeconds,
    clockSkewMillis: SKEW,
    onExpiredLease,
    waitMillis,
    lookFirst,
    worksInSql,
    renewLease,
    remembersTokens,
    faults,
    offsets,
    clockSteps: beyondTolerance ? [0, SKEW * 3, HOUR, -HOUR] : [0, SKEW / 2, SKEW],
    tableOffset: beyondTolerance ? 0 : offset(),
    // A client of PostgreSQL sends nothing again.
    sdkTries: store === 'postgres' ? 1 : oneOf([2, 3], [1, 2], [3, 1]),
    calls,
  };
}

/** A request that comes when all is well again, and must get through. It does what the others do, as far as it is left. */
export function probe(plan: Plan, key: string, payload: string, number: number): CallPlan {
  const script = { ...PLAIN_SCRIPT, ...stepsOf(plan) };
  return { id: `probe ${number}`, host: plan.offsets.length - 1, key, payload, script, probe: true };
}

function stepsOf({ calls }: Plan): Partial<Script> {
  if (calls[0]?.script.transaction !== undefined) return { transaction: { plans: 'always', items: 'free' } };
  const actions = calls[0]?.script.actions?.map((action) =>
    action.does === 'transact' ? { ...action, refused: false } : action,
  );
  return actions === undefined ? {} : { actions };
}

/** When a schedule begins, true time: like a true one it has fractions of a second. */
export const BEGINNING = 2_000_000_000_125;
