import { randomUUID } from 'node:crypto';
import type { Check } from './check.ts';
import type { Guard } from './guards.ts';
import { hasOnly } from './storm.ts';
import { Tally } from './tally.ts';

const WORKERS = 50;
/** Every so manyth key is used with another payload, too. */
const MISMATCH_EVERY = 5;
const ALL_KINDS = ['executed', 'replayed', 'IN_FLIGHT', 'KEY_REUSED', 'STORE_UNAVAILABLE'];
const MAX_TRIES = 100;

/** New keys, duplicates of them at the same time, retries afterwards, and payloads that do not match. */
export async function mixedLoad(
  guards: readonly Guard[],
  goesOn: (keys: number) => boolean,
  check: Check,
): Promise<Tally> {
  const tally = new Tally();
  let keys = 0;
  let wrong = 0;
  const worker = async () => {
    while (goesOn(keys)) {
      const guard = guards[keys % guards.length];
      const withMismatch = keys++ % MISMATCH_EVERY === 0;
      if (guard !== undefined && !(await oneKey(guard, withMismatch, tally))) wrong++;
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  console.log(`${keys} keys: ${tally}`);
  check.that(
    wrong === 0 && keys > 0,
    `${keys - wrong} of ${keys} keys were executed exactly once, and answered rightly`,
  );
  check.that(hasOnly(tally, ALL_KINDS), 'no answer of another kind');
  return tally;
}

/** @returns whether the key was executed once, its retry replayed, and another payload refused */
async function oneKey(guard: Guard, withMismatch: boolean, tally: Tally): Promise<boolean> {
  const order = { id: randomUUID(), amount: 10 };
  await Promise.all([guard.call(order, tally), guard.call(order, tally)]);
  const retry = await until(['replayed', 'executed'], () => guard.call(order, tally));
  const executions = guard.executions.get(order.id) ?? 0;
  guard.executions.delete(order.id);
  if (executions !== 1 || retry === undefined) return false;
  if (!withMismatch) return true;
  const other = { ...order, amount: 20 };
  return (await until(['KEY_REUSED'], () => guard.call(other, tally))) !== undefined && !guard.executions.has(order.id);
}

/** As a client does that was told to retry. */
async function until(kinds: readonly string[], call: () => Promise<string>): Promise<string | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const kind = await call();
    if (kinds.includes(kind)) return kind;
    if (kind !== 'IN_FLIGHT' && kind !== 'STORE_UNAVAILABLE') return undefined;
  }
  return undefined;
}
