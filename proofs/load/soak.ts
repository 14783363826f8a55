import { memoryStore } from '../../src/stores/memory.ts';
import { type Check, heapUsed, megabytes } from './check.ts';
import { createGuards, type Guard } from './guards.ts';
import { mixedLoad } from './mixed.ts';
import { Tally } from './tally.ts';

/** Connections, buffers and compiled code come and go: some megabytes. A leak of 1 KB a call would be more. */
const MAX_GROWTH_ON_A_SERVER = 8 * 2 ** 20;
/** No network, no new records: nothing may be left of a call. 100,000 calls that leave 21 bytes each are over it. */
const MAX_GROWTH_IN_MEMORY = 2 * 2 ** 20;

const WARM_UP_KEYS = 300;
const KEYS_IN_MEMORY = 100;
const CALLS_IN_MEMORY = 100_000;
const AT_ONCE = 100;

/** The mixed load for a while, with an eye on the heap. */
export async function soak(guards: readonly Guard[], seconds: number, check: Check): Promise<void> {
  await mixedLoad(guards, (keys) => keys < WARM_UP_KEYS, check);
  const before = heapUsed();
  const until = performance.now() + seconds * 1000;
  await mixedLoad(guards, () => performance.now() < until, check);
  judge(before, MAX_GROWTH_ON_A_SERVER, check);
}

/** The guards alone, for more calls than a database could take: claims that are lost, replays, other payloads. */
export async function soakInMemory(check: Check): Promise<void> {
  const guards = createGuards(memoryStore(), 0);
  await calls(CALLS_IN_MEMORY / 10);
  const before = heapUsed();
  const tally = await calls(CALLS_IN_MEMORY);
  console.log(`${KEYS_IN_MEMORY} keys in memory: ${tally}`);
  judge(before, MAX_GROWTH_IN_MEMORY, check);

  async function calls(count: number): Promise<Tally> {
    const tally = new Tally();
    let done = 0;
    const caller = async () => {
      for (let n = done++; n < count; n = done++) {
        const order = { id: `key-${n % KEYS_IN_MEMORY}`, amount: n % 10 === 0 && n > KEYS_IN_MEMORY ? 20 : 10 };
        await guards[n % guards.length]?.call(order, tally);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, caller));
    return tally;
  }
}

function judge(before: number, most: number, check: Check): void {
  const after = heapUsed();
  const grown = `heap ${megabytes(before)} before, ${megabytes(after)} after`;
  check.that(after - before <= most, `${grown}: it may grow by ${megabytes(most)}`);
}
