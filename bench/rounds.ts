/** Alternating rounds: whatever else the machine does meets all sides alike. */

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The median, and between what the middle half of the rounds is. */
export function spread(numbers: readonly number[], digits = 0): string {
  const [low, high] = [quantile(numbers, 0.25), quantile(numbers, 0.75)];
  return `${median(numbers).toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

export interface Ratio {
  readonly value: number;
  /** Between what the ratios of the middle half of the rounds are. */
  readonly between: readonly [number, number];
}

/** Of medians. Both sides were measured in the same rounds; `base` is what is taken off both. */
export function ratioOf(side: readonly number[], other: readonly number[], base: readonly number[] = [0]): Ratio {
  const off = median(base);
  const ofRounds = side.map((value, round) => (value - off) / ((other[round] ?? Number.NaN) - off));
  return {
    value: (median(side) - off) / (median(other) - off),
    between: [quantile(ofRounds, 0.25), quantile(ofRounds, 0.75)],
  };
}

type Measured<Name extends string> = Record<Name, number[]>;

/** Runs each of `sides` once in every round, in turn, and gives what each of them has measured. */
export async function alternate<Name extends string>(
  rounds: number,
  sides: Readonly<Record<Name, (round: number) => Promise<number>>>,
): Promise<Measured<Name>> {
  const names = Object.keys(sides) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Measured<Name>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) measured[name].push(await sides[name](round));
  }
  return measured;
}

export function medians<Name extends string>(measured: Measured<Name>): Record<Name, number> {
  const entries = Object.entries(measured) as [Name, number[]][];
  return Object.fromEntries(entries.map(([name, numbers]) => [name, median(numbers)])) as Record<Name, number>;
}

/** Microseconds of CPU, of all threads of this process, for each of `calls`. */
export async function cpuMicros(calls: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < calls; index++) await call(index);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** Milliseconds until the answer. */
export async function elapsedMillis(call: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await call();
  return performance.now() - startedAt;
}
