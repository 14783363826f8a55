export interface Stopwatch {
  seconds(): number;
  /** Prints a line, and when. */
  say(line: string): void;
}

/** Begins now. */
export function stopwatch(): Stopwatch {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  return { seconds, say: (line) => console.log(`${seconds().toFixed(1).padStart(5)} s  ${line}`) };
}
