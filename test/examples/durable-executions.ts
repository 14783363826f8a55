import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { memoryStore } from 'middy-idempotency/memory';
import { fulfilment, type Order, onceEach } from '../../examples/durable-functions/fulfilment.ts';

/**
 * Runs durable executions, and prints what they did. In a process of its own: the runner replaces every timer of its process,
 * `process.nextTick` included.
 */
const order: Order = { id: 'o-1', amount: 10 };

/** A shop that says what was asked of it, and the guards around it. */
function guardedShop() {
  const effects: string[] = [];
  const keys = new Set<string>();
  const effect = (name: string) => async (one: Order, key: string) => {
    effects.push(name);
    keys.add(key);
    return `${name} ${one.id}`;
  };
  const guards = onceEach(memoryStore(), { charge: effect('charge'), ship: effect('ship') });
  const run = async (guarded = guards) => {
    const runner = new LocalDurableTestRunner({ handlerFunction: fulfilment(guarded) });
    return (await runner.run({ payload: order })).getResult();
  };
  return { guards, run, seen: (...results: unknown[]) => ({ effects, keys: keys.size, results }) };
}

async function afterWait() {
  const { run, seen } = guardedShop();
  return seen(await run());
}

async function stepWithoutCheckpoint() {
  const { guards, run, seen } = guardedShop();
  let attempts = 0;
  const chargeOnce: typeof guards.chargeOnce = async (...args) => {
    const charge = await guards.chargeOnce(...args);
    if (++attempts < 3) throw new Error('there is no checkpoint of this');
    return charge;
  };
  return { ...seen(await run({ ...guards, chargeOnce })), attempts };
}

async function twoExecutions() {
  const { run, seen } = guardedShop();
  return seen(await run(), await run());
}

await LocalDurableTestRunner.setupTestEnvironment({ skipTime: true });
const done = {
  afterWait: await afterWait(),
  stepWithoutCheckpoint: await stepWithoutCheckpoint(),
  twoExecutions: await twoExecutions(),
};
await LocalDurableTestRunner.teardownTestEnvironment();
console.log(JSON.stringify(done));
