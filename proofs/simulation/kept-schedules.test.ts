import { describe, expect, it } from 'vitest';
import type { Move } from './moves.ts';
import { type CallPlan, FAULTS, type Plan, type Script } from './plan.ts';
import { play } from './schedule.ts';

const SCRIPT: Script = { extensions: [], end: 'return', settlement: 'store', after: 'nothing', onTimeout: 'throw' };

/** The plan that a printed schedule begins with, in short. */
function planOf(scripts: readonly Partial<Script>[], plan: Partial<Plan> = {}): Plan {
  const calls = scripts.map(
    (script, index): CallPlan => ({
      id: `${index + 1}`,
      host: 0,
      key: 'A',
      payload: 'p',
      script: { ...SCRIPT, ...script },
      probe: false,
    }),
  );
  return {
    entry: 'function',
    leaseMillis: 20_000,
    retentionSeconds: 3600,
    clockSkewMillis: 1000,
    onExpiredLease: 'run',
    faults: new Set(FAULTS),
    offsets: [0],
    tableOffset: 0,
    sdkTries: 2,
    ...plan,
    calls,
  };
}

/** The moves of a printed schedule, one a line, without the times. With `?`: only as long as the mistake is there. */
async function replay(plan: Plan, text: string): Promise<readonly string[]> {
  const lines = text.trim().split(/\n\s*/);
  const next = (possible: readonly Move[]): Move | undefined => {
    const line = lines.shift();
    if (line === undefined) return undefined;
    const move = possible.find(({ what }) => what() === line.replace('? ', ''));
    if (move !== undefined) return move;
    if (line.startsWith('? ')) return next(possible);
    throw new Error(`'${line}' is not possible: ${possible.map(({ what }) => what()).join('; ')}`);
  };
  const { violations } = await play(plan, { beyondTolerance: false }, next);
  return violations.map(({ promise, message }) => `${promise}: ${message}`);
}

describe('schedules that have broken a promise once', () => {
  it('I1: an extension that arrives late shortens a later one', async () => {
    const plan = planOf([{ extensions: [10_000, 60_000], end: 'hang' }, {}]);
    const broken = await replay(
      plan,
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       5000 ms pass
       5000 ms pass
       5000 ms pass
       the handler of call 1 goes on
       a timer of call 1 fires
       the handler of call 1 goes on
       request 3 of call 1 (replace by IN_PROGRESS) arrives
       request 2 of call 1 (replace by IN_PROGRESS) arrives
       the answer to request 3 of call 1 (replace by IN_PROGRESS) arrives
       21000 ms pass
       call 2 comes in on host 0
       request 1 of call 2 (insert) arrives
       the answer to request 1 of call 2 (insert) arrives
       ? request 2 of call 2 (replace by IN_PROGRESS) arrives
       ? the answer to request 2 of call 2 (replace by IN_PROGRESS) arrives`,
    );
    expect(broken).toEqual([]);
  });

  it('I4: an outcome is taken over that was amended after its retention had been found to be over', async () => {
    const plan = planOf([{ after: 'a hook throws, another one answers' }, {}], { entry: 'middy', retentionSeconds: 1 });
    const broken = await replay(
      plan,
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       the handler of call 1 goes on
       request 2 of call 1 (replace by COMPLETED) arrives
       500 ms pass
       500 ms pass
       500 ms pass
       500 ms pass
       call 2 comes in on host 0
       request 1 of call 2 (insert) arrives
       the answer to request 1 of call 2 (insert) arrives
       the answer to request 2 of call 1 (replace by COMPLETED) arrives
       request 3 of call 1 (replace by COMPLETED) arrives
       request 2 of call 2 (replace by IN_PROGRESS) arrives
       the answer to request 2 of call 2 (replace by IN_PROGRESS) arrives`,
    );
    expect(broken).toEqual([]);
  });

  it('I2: a claim answered after its lease takes over all the same, and its successor repeats a fencing number', async () => {
    const broken = await replay(
      planOf([{ end: 'throw', settlement: 'release' }, {}, {}]),
      `call 2 comes in on host 0
       request 1 of call 2 (insert) arrives
       lost answer: request 1 of call 2 (insert)
       21000 ms pass, the processes standing still
       call 3 comes in on host 0
       request 1 of call 3 (insert) arrives
       the answer to request 1 of call 3 (insert) arrives
       call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       request 2 of call 1 (replace by IN_PROGRESS) arrives
       the answer to request 2 of call 1 (replace by IN_PROGRESS) arrives
       the handler of call 1 goes on
       request 3 of call 1 (replace by RELEASED) arrives
       request 1 of call 2 (insert, sent for the second time) arrives
       the answer to request 1 of call 2 (insert, sent for the second time) arrives
       ? request 2 of call 2 (replace by IN_PROGRESS) arrives
       request 2 of call 3 (replace by IN_PROGRESS) arrives
       ? the answer to request 2 of call 3 (replace by IN_PROGRESS) arrives`,
    );
    expect(broken).toEqual([]);
  });

  it('I2: an amendment takes back the fencing number that a successor has had', async () => {
    const hook = { after: 'a hook throws, another one answers' } as const;
    const broken = await replay(
      planOf([hook, { end: 'throw', settlement: 'release' }], { entry: 'middy' }),
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       21000 ms pass
       call 2 comes in on host 0
       request 1 of call 2 (insert) arrives
       the answer to request 1 of call 2 (insert) arrives
       request 2 of call 2 (replace by IN_PROGRESS) arrives
       the answer to request 2 of call 2 (replace by IN_PROGRESS) arrives
       the handler of call 2 goes on
       request 3 of call 2 (replace by RELEASED) arrives
       the handler of call 1 goes on`,
    );
    expect(broken).toEqual([]);
  });

  it('I3: a renewal that comes behind the own release has lost its lease to nobody', async () => {
    const broken = await replay(
      planOf([{ actions: [{ does: 'steps', names: ['a', 'b'] }], failing: ['b'] }], { renewLease: true }),
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       the handler of call 1 goes on
       step b of call 1 goes on
       step a of call 1 goes on
       hanging request: request 2 of call 1 (replace by IN_PROGRESS)
       a timer of call 1 fires
       the handler of call 1 goes on
       a timer of call 1 fires
       request 4 of call 1 (replace by RELEASED) arrives
       request 3 of call 1 (replace by IN_PROGRESS) arrives
       the answer to request 3 of call 1 (replace by IN_PROGRESS) arrives`,
    );
    expect(broken).toEqual([]);
  });

  it('I1: the retention is over while a handler goes on that has stored its response', async () => {
    const broken = await replay(
      planOf([{ actions: [{ does: 'complete' }], end: 'hang' }, {}], { retentionSeconds: 1 }),
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       the handler of call 1 goes on
       request 2 of call 1 (replace by COMPLETED) arrives
       the answer to request 2 of call 1 (replace by COMPLETED) arrives
       5000 ms pass
       call 2 comes in on host 0
       request 1 of call 2 (insert) arrives
       the answer to request 1 of call 2 (insert) arrives
       ? request 2 of call 2 (replace by IN_PROGRESS) arrives
       ? the answer to request 2 of call 2 (replace by IN_PROGRESS) arrives`,
    );
    expect(broken).toEqual([]);
  });

  it('I8: the response is stored that was given back, although another one was stored in between, unanswered', async () => {
    const actions = [{ does: 'transact', refused: false }, { does: 'complete' }] as const;
    const broken = await replay(
      planOf([{ actions, onFailure: 'go on' }]),
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       the handler of call 1 goes on
       request 2 of call 1 (transact) arrives
       the answer to request 2 of call 1 (transact) arrives
       the handler of call 1 goes on
       request 3 of call 1 (replace by COMPLETED) arrives
       hanging answer: request 3 of call 1 (replace by COMPLETED)
       a timer of call 1 fires
       the handler of call 1 goes on`,
    );
    expect(broken).toEqual([]);
  });

  it('I13: a transaction is told to be done that was never written, behind one whose later tries were refused', async () => {
    const transact = { does: 'transact', refused: false } as const;
    const plan = planOf([{ actions: [transact, transact], onFailure: 'go on' }], { sdkTries: 1 });
    const broken = await replay(
      plan,
      `call 1 comes in on host 0
       request 1 of call 1 (insert) arrives
       the answer to request 1 of call 1 (insert) arrives
       the handler of call 1 goes on
       request 2 of call 1 (transact) arrives
       lost answer: request 2 of call 1 (transact)
       host 0: expired credentials begins
       a timer of call 1 fires
       request 3 of call 1 (transact) meets: expired credentials
       a timer of call 1 fires
       request 4 of call 1 (transact) meets: expired credentials
       host 0: expired credentials is over
       the handler of call 1 goes on
       ? request 5 of call 1 (transact) arrives
       ? the answer to request 5 of call 1 (transact) arrives
       the handler of call 1 goes on`,
    );
    expect(broken).toEqual([]);
  });
});
