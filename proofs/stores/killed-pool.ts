import pg from 'pg';

/**
 * A pool whose process is killed at a place: before or behind a statement that it sends. SIGKILL: nothing of the process runs
 * any more.
 */
export function killedPool(url: string, place: number, max = 2) {
  let places = 0;
  const reach = () => {
    if (++places === place) process.kill(process.pid, 'SIGKILL');
  };

  class KilledClient extends pg.Client {
    override query(...args: unknown[]): never {
      reach();
      const answer = Reflect.apply(super.query, this, args) as Promise<unknown> | undefined;
      return answer?.then?.((value) => {
        reach();
        return value;
      }) as never;
    }
  }

  // A sealed statement of a pool goes through its client, so that it is counted, too.
  const pool = new pg.Pool({ connectionString: url, max, Client: KilledClient as never });
  return { pool, places: () => places };
}
