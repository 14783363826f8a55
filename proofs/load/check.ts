/** What turned out to be wrong, to be printed and to fail the run. */
export class Check {
  readonly failures: string[] = [];

  /** Says the line, and remembers it where it is not as it must be. */
  that(isRight: boolean, line: string): void {
    console.log(`  ${isRight ? 'ok    ' : 'FAILED'}  ${line}`);
    if (!isRight) this.failures.push(line);
  }
}

/** The heap after a full collection, bytes. */
export function heapUsed(): number {
  if (global.gc === undefined) throw new Error('Run it with node --expose-gc.');
  global.gc();
  global.gc();
  return process.memoryUsage().heapUsed;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
