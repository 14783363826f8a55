/** Alternating rounds: whatever else the machine does meets all sides alike. */

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
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
