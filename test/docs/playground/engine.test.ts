import { describe, expect, it } from 'vitest';
import { Player, play } from '../../../docs/playground/engine/play.ts';
import {
  type Action,
  DEFAULT_SETUP,
  formatSchedule,
  parseSchedule,
  type Setup,
  WORKS,
} from '../../../docs/playground/engine/schedule.ts';
import { readyById } from '../../../docs/playground/schedules/index.ts';
import { playReady, type Ready } from '../../../docs/playground/schedules/ready.ts';
import { type Random, randomOf } from '../../../proofs/lib/random.ts';
import { judge } from '../../../proofs/oracle/oracle.ts';

/** Without an operator, whom the oracle does not know, and not forever apart. */
const WEIGHTS: Partial<Record<Action['verb'], number>> = {
  kill: 0.2,
  second: 0.2,
  lease: 0.4,
  retention: 0.2,
  'resolve-done': 0,
  'resolve-free': 0,
};

function setupOf(random: Random): Setup {
  const oneOf = <T>(values: readonly T[]) => random.weighted(values.map((value) => [1, value] as const));
  return {
    requests: random.between(2, 4),
    work: oneOf(WORKS.filter((work) => work !== 'unguarded')),
    expired: oneOf(['run', 'throw']),
    busy: oneOf(['throw', 'wait']),
    bank: oneOf(['forgets', 'knows-keys']),
    steps: oneOf(['large', 'small']),
  };
}

/** Whatever a reader may do, then everything goes well, and one more request comes. */
async function playAnyhow(seed: number) {
  const random = randomOf('playground', seed);
  const player = await Player.begin(setupOf(random), 1);
  const { requests } = player.session.setup;
  for (let actions = 0; actions < 40; actions++) {
    const possible = player.state.possible.filter((action) => !('lane' in action) || action.lane <= requests);
    const weighted = possible.map((action) => [WEIGHTS[action.verb] ?? 1, action] as const);
    if (weighted.every(([weight]) => weight === 0)) break;
    await player.act(random.weighted(weighted));
  }
  await player.endWell();
  await player.follow('lease?');
  for (let lane = 1; lane <= requests + 1; lane++) {
    const send = player.state.possible.find(({ verb }) => verb === 'send');
    if (send !== undefined) await player.act(send);
    await player.endWell();
  }
  return player.run();
}

describe('the engine of the playground', () => {
  it('breaks no promise, whatever a reader does', async () => {
    const broken: unknown[] = [];
    let actions = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const run = await playAnyhow(seed);
      actions += run.actions.length;
      const violations = judge(run.history);
      if (violations.length > 0) broken.push({ link: formatSchedule(run), violations });
    }
    expect(broken).toEqual([]);
    expect(actions).toBeGreaterThan(3000);
  });

  it('has its runs judged by an oracle that sees a broken store', async () => {
    const player = await Player.begin(DEFAULT_SETUP);
    const { store } = player.session;
    const { insert, read, remove } = store;
    // A claim without its condition.
    Object.assign(store, {
      async insert(record: Parameters<typeof insert>[0]) {
        const existing = await read(record.id);
        if (existing !== undefined) await remove(record.id, existing);
        return insert(record);
      },
    });
    for (const word of 'send1 to1:charge.sent send2 to2:charge.sent'.split(' ')) await player.follow(word);
    expect(judge(player.run().history).map(({ promise }) => promise)).toContain('I1');
  });

  it('plays a link as it was played, state by state, and undo is the same without the last action', async () => {
    const { setup, actions, states } = await playReady(readyById('i12') as Ready);
    const link = formatSchedule({ setup, actions });
    const again = await play(parseSchedule(link));
    expect(again.states).toEqual(states);
    const undone = await play({ setup, actions: actions.slice(0, -1) });
    expect(undone.states).toEqual(states.slice(0, -1));
  });

  it('says in every state what has happened', async () => {
    const silent: string[] = [];
    for (const id of [
      'lost-answer',
      'timeout',
      'i4',
      'i12',
      'kill-waiting-read-sent',
      'kill-renew-lease-extension-applied',
    ]) {
      const { states } = await playReady(readyById(id) as Ready);
      states.slice(1).forEach(({ notes }, index) => {
        if (notes.length === 0) silent.push(`${id} ${index + 1}`);
      });
    }
    expect(silent).toEqual([]);
  });

  it('shows in a record of the table the decision that the core took', async () => {
    const { states } = await playReady(readyById('crash-after-effect') as Ready);
    const rows = states.flatMap(({ notes }) => notes.flatMap(({ row }) => row ?? []));
    expect(rows).toEqual(['absent', 'in-flight', 'lease-over']);
  });
});

describe('a link', () => {
  it('has only what differs from the default', () => {
    const actions: Action[] = [
      { verb: 'send', lane: 1, variant: 'same' },
      { verb: 'send', lane: 2, variant: 'other-amount' },
      { verb: 'lease' },
    ];
    const schedule = { setup: { ...DEFAULT_SETUP, work: 'steps' as const }, actions };
    expect(formatSchedule(schedule)).toBe('work=steps&play=send1.send2-other-amount.lease');
    expect(parseSchedule('work=steps&play=send1.send2-other-amount.lease')).toEqual(schedule);
  });

  it.each([
    ['work=nonsense', "'work=nonsense' is not a setting"],
    ['requests=9', "'requests=9' is not a setting"],
    ['__proto__=1', "'__proto__=1' is not a setting"],
    ['play=send1.jump1', "'jump1' is not an action"],
    ['play=send1-thrice', "'send1-thrice' is not an action"],
    [`play=${'second.'.repeat(301)}`, 'it has more than 300 actions'],
  ])('with mistakes is refused: %s', (link, message) => {
    expect(() => parseSchedule(link)).toThrow(message);
  });

  it('with an action that is not possible stops there', async () => {
    await expect(play(parseSchedule('play=go1'))).rejects.toThrow("'go1' is not possible here");
  });
});
