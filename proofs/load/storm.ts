import { randomUUID } from 'node:crypto';
import type { Check } from './check.ts';
import type { Guard } from './guards.ts';
import { Tally } from './tally.ts';

/** So many wait for their answers at the same time: more would only wait in this process for a socket. */
const AT_ONCE = 1000;

/** A retry that comes after the storm. */
const MAX_RETRIES = 20;

/** Duplicates of one key, all at once. */
export async function storm(guard: Guard, duplicates: number, check: Check): Promise<void> {
  const order = { id: randomUUID(), amount: 10 };
  const tally = new Tally();
  let left = duplicates;
  const caller = async () => {
    while (left-- > 0) await guard.call(order, tally);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));

  let kind = '';
  for (let retries = 0; kind !== 'replayed' && retries < MAX_RETRIES; retries++)
    kind = await guard.call(order, new Tally());
  console.log(`storm of ${duplicates} through ${guard.name}: ${tally}`);
  const executions = guard.executions.get(order.id) ?? 0;
  check.that(executions === 1, `${executions} execution of the key, and a retry after it is ${kind}`);
  check.that(
    kind === 'replayed' && hasOnly(tally, ['executed', 'replayed', 'IN_FLIGHT', 'STORE_UNAVAILABLE']),
    'every answer is a right one',
  );
}

/** A store that is too slow may be given up: that is no wrong answer. */
export function hasOnly(tally: Tally, kinds: readonly string[]): boolean {
  return tally.kinds.every((kind) => kinds.includes(kind));
}
