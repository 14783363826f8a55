import { expect, it } from 'vitest';
import { type Order, useOldAndNew } from '../support/powertools.ts';

const on = useOldAndNew();

type Version = 'old' | 'mirror' | 'readThrough' | 'newOnly';

/** Which versions answer in each step, as a load balancer sends requests to them. */
const STEPS: readonly { readonly name: string; readonly versions: readonly Version[] }[] = [
  { name: 'before', versions: ['old'] },
  { name: 'canary', versions: ['old', 'old', 'mirror'] },
  { name: 'rolled back', versions: ['old'] },
  { name: 'canary again', versions: ['old', 'mirror', 'mirror'] },
  { name: 'all of it', versions: ['mirror'] },
  { name: 'readThrough is deployed', versions: ['mirror', 'readThrough'] },
  { name: 'readThrough', versions: ['readThrough'] },
  { name: 'an hour later', versions: ['newOnly', 'readThrough'] },
  { name: 'after', versions: ['newOnly'] },
];

const REQUESTS_A_STEP = 16;
/** Clients that send at the same time. */
const CLIENTS = 8;
/** How often each client sends a request: the answer is not always heard. */
const SENDINGS = 2;

it('deploys in steps under load, with a rollback: every request has one effect, and one answer', async () => {
  const effects = new Map<string, string[]>();
  const answers = new Map<string, Set<string>>();
  const executedBy = new Map<string, number>();

  const workOf = (version: Version) => async (order: Order) => {
    const soFar = effects.get(order.id) ?? [];
    // Some fail before their effect: then the same client tries again, and may meet another version.
    if (soFar.length === 0 && order.id.endsWith('3') && !failed.has(order.id)) {
      failed.add(order.id);
      throw new Error('declined');
    }
    await new Promise((resolve) => setImmediate(resolve));
    effects.set(order.id, [...soFar, version]);
    executedBy.set(version, (executedBy.get(version) ?? 0) + 1);
    return { receipt: `${order.id} ${soFar.length + 1}` };
  };
  const failed = new Set<string>();
  const call: Record<Version, (order: Order) => Promise<unknown>> = {
    old: on.old(workOf('old')),
    mirror: on.new(workOf('mirror'), { records: { mode: 'mirror' } }),
    readThrough: on.new(workOf('readThrough')),
    newOnly: on.new(workOf('newOnly'), { options: { migrateFrom: undefined as never } }),
  };

  const sent: string[] = [];
  for (const [number, { name, versions }] of STEPS.entries()) {
    if (name === 'an hour later') on.passTime(3_700_000);
    const isLate = number >= STEPS.findIndex((step) => step.name === 'an hour later');
    const fresh = Array.from({ length: REQUESTS_A_STEP }, (_, index) => `${number}-${index}`);
    // Duplicates of earlier steps come, too. After an hour, what the old code has executed has expired, as it always did.
    const repeated = sent.filter(
      (id, index) => index % 2 === number % 2 && !(isLate && effects.get(id)?.[0] === 'old'),
    );
    const queue = [...fresh, ...repeated].flatMap((id) => Array<string>(SENDINGS).fill(id));
    sent.push(...fresh);
    let turn = 0;
    const client = async () => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        const version = versions[turn++ % versions.length] as Version;
        const answer = await untilAnswered(() => call[version]({ id }));
        answers.set(id, (answers.get(id) ?? new Set()).add(JSON.stringify(answer)));
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }

  expect(sent).toHaveLength(STEPS.length * REQUESTS_A_STEP);
  for (const id of sent) {
    expect(effects.get(id), id).toHaveLength(1);
    expect([...(answers.get(id) ?? [])], id).toEqual([JSON.stringify({ receipt: `${id} 1` })]);
  }
  // Otherwise it would show nothing.
  expect([...executedBy.keys()].sort()).toEqual(['mirror', 'newOnly', 'old', 'readThrough']);
  expect(failed.size).toBeGreaterThan(0);
}, 60_000);

/** As a client does: while its request is being executed, and after a failure, it sends it again. */
async function untilAnswered(send: () => Promise<unknown>): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    try {
      return await send();
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
