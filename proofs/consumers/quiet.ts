const LOGGED = '{"level":"error","message":"the request failed"';

/**
 * Holds back what the example logs when a request fails: here records vanish under running executions, and their clients ask again.
 * @returns what ends it
 */
export function holdBackFailures(): () => void {
  const { stdout } = process;
  const write = stdout.write;
  stdout.write = ((chunk: unknown, ...rest: unknown[]) =>
    String(chunk).startsWith(LOGGED) || Reflect.apply(write, stdout, [chunk, ...rest])) as typeof write;
  return () => {
    stdout.write = write;
  };
}
