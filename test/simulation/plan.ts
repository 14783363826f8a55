import type { Choices } from './choices.ts';

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
] as const;
export type Fault = (typeof FAULTS)[number];

/** What a handler does, one step after the other, and how it ends. */
export interface Script {
  /** Milliseconds that the lease is extended by, before the end. */
  readonly extensions: readonly number[];
  readonly end: 'return' | 'throw' | 'hang' | 'return what JSON refuses';
  /** What the `settle` option says of it. */
  readonly settlement: 'store' | 'release' | 'hold';
  /** In Middy: what happens after the handler. */
  readonly after: 'nothing' | 'a hook throws' | 'a hook throws, another one answers';
  /** In Lambda: what becomes of an early timeout. */
  readonly onTimeout: 'throw' | 'answer';
}

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
  readonly leaseMillis: number;
  readonly retentionSeconds: number;
  readonly clockSkewMillis: number;
  readonly onExpiredLease: 'run' | 'throw';
  readonly faults: ReadonlySet<Fault>;
  /** What each host's clock shows, less true time. */
  readonly offsets: readonly number[];
  /** What the table's clock shows, less true time: TTL goes by it. */
  readonly tableOffset: number;
  /** How often the SDK sends a request, all in all. */
  readonly sdkTries: number;
  readonly calls: readonly CallPlan[];
}

const SKEW = 1000;

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
  const leaseMillis = oneOf([20_000, 5], [4000, 3], [60_000, 1]);
  const retentionSeconds = oneOf([3600, 5], [30, 3], [1, 2]);
  const onExpiredLease = oneOf(['run', 75], ['throw', 25]) as Plan['onExpiredLease'];
  const isFaulty = chance(90);
  const faults = new Set(isFaulty ? FAULTS.filter(() => chance(35)) : []);
  const offset = () => oneOf([0, 4], [1, 1], [SKEW / 2, 1], [SKEW - 1, 1], [SKEW, 3]);
  const farOffset = () => oneOf([0, 3], [SKEW * 3, 1], [-SKEW * 3, 1], [leaseMillis + SKEW * 2, 1]);
  const offsets = Array.from({ length: oneOf([2, 3], [1, 1], [3, 2]) }, beyondTolerance ? farOffset : offset);
  const isContended = chance(70);
  const onePayload = chance(80);
  const calls = Array.from({ length: oneOf([2, 4], [3, 4], [4, 2], [5, 1], [6, 1]) }, (_, index) => ({
    id: `${index + 1}`,
    host: oneOf(...offsets.map((_, host) => [host, 1] as const)),
    key: isContended ? 'A' : oneOf(['A', 2], ['B', 1]),
    payload: onePayload ? 'p' : oneOf(['p', 2], ['q', 1]),
    script: chooseScript(),
    probe: false,
  }));
  return {
    entry,
    leaseMillis,
    retentionSeconds,
    clockSkewMillis: SKEW,
    onExpiredLease,
    faults,
    offsets,
    tableOffset: beyondTolerance ? 0 : offset(),
    sdkTries: oneOf([2, 3], [1, 2], [3, 1]),
    calls,
  };

  function chooseScript(): Script {
    const end = oneOf(['return', 65], ['throw', 22], ['hang', 6], ['return what JSON refuses', 7]) as Script['end'];
    const extensions = Array.from({ length: oneOf([0, 7], [1, 2], [2, 1]) }, () =>
      oneOf([leaseMillis, 2], [Math.ceil(leaseMillis / 4), 1], [leaseMillis * 3, 1]),
    );
    const usual = end === 'throw' ? 'release' : 'store';
    const settlement = oneOf([usual, 84], ['store', 6], ['hold', 6], ['release', 4]) as Script['settlement'];
    const after =
      entry !== 'function' && end !== 'throw'
        ? (oneOf(['nothing', 6], ['a hook throws', 1], ['a hook throws, another one answers', 1]) as Script['after'])
        : 'nothing';
    const onTimeout = entry === 'lambda' ? (oneOf(['throw', 1], ['answer', 1]) as Script['onTimeout']) : 'throw';
    return { extensions, end, settlement, after, onTimeout };
  }
}

/** A request that comes when all is well again, and must get through. */
export function probe(plan: Plan, key: string, payload: string, number: number): CallPlan {
  const script: Script = { extensions: [], end: 'return', settlement: 'store', after: 'nothing', onTimeout: 'throw' };
  return { id: `probe ${number}`, host: plan.offsets.length - 1, key, payload, script, probe: true };
}

/** When a schedule begins, true time: like a true one it has fractions of a second. */
export const BEGINNING = 2_000_000_000_125;
