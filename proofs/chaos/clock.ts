/** The time since the machine was started, milliseconds: the same for all processes, and it never jumps. */
function monotonicMillis(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Databases write down when something happened by the wall clock, in fractions of the millisecond in which that ticks. */
function beginning(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - monotonicMillis();
}

/** The true time of a run: begins with the wall clock, then follows the monotonic one. Epoch milliseconds. */
export interface TrueTime {
  /** What is added to the monotonic time. */
  readonly epochMillis: number;
  now(): number;
}

export function trueTime(epochMillis = beginning()): TrueTime {
  return { epochMillis, now: () => epochMillis + monotonicMillis() };
}
