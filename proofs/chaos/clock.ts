/** The time since the machine was started, milliseconds: the same for all processes, and it never jumps. */
function monotonicMillis(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The true time of a run: begins with the wall clock, then follows the monotonic one. Epoch milliseconds. */
export interface TrueTime {
  /** What is added to the monotonic time. */
  readonly epochMillis: number;
  now(): number;
}

export function trueTime(epochMillis = Date.now() - monotonicMillis()): TrueTime {
  return { epochMillis, now: () => epochMillis + monotonicMillis() };
}

const SAMPLE_MILLIS = 1000;
const TICKS = 5;

/** The wall clock, by which databases write down when something happened. It drifts from the true time, by less than a moment. */
export interface WallClock {
  /** Epoch milliseconds of the wall clock as true time. */
  toTrue(at: number): number;
  stop(): void;
}

export function watchWallClock(time: TrueTime): WallClock {
  const samples: { readonly at: number; readonly ahead: number }[] = [];
  const sample = () => {
    // A pause between the two readings makes the wall clock look slow: the largest difference counts.
    const ahead = Math.max(...Array.from({ length: TICKS }, () => tick() - time.now()));
    samples.push({ at: Date.now(), ahead });
  };
  sample();
  const timer = setInterval(sample, SAMPLE_MILLIS);
  return {
    toTrue(at) {
      const distance = (one: { readonly at: number }) => Math.abs(one.at - at);
      const { ahead } = samples.reduce((near, one) => (distance(one) < distance(near) ? one : near));
      return at - ahead;
    },
    stop: () => clearInterval(timer),
  };
}

/** The wall clock at the moment in which it shows another millisecond. */
function tick(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now;
}
