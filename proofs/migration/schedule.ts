import { randomOf } from '../lib/random.ts';
import { type Double, doublesOf, foreignAnswers } from './judge.ts';
import { invoke } from './versions.ts';
import { type Call, type Version, World, warm } from './world.ts';

/** What runs at the same time, step by step. Old code never meets the last step. */
const STEPS: readonly (readonly Version[])[] = [
  ['old'],
  ['old', 'mirror'],
  ['old'],
  ['mirror', 'old'],
  ['mirror'],
  ['mirror', 'readThrough'],
  ['readThrough'],
];

const MAX_MOVES = 600;
const LEASE_MILLIS = 10_000;

export interface Ran {
  readonly calls: readonly Call[];
  readonly doubles: readonly Double[];
  readonly foreign: readonly Call[];
  readonly conflicts: number;
  readonly story: readonly string[];
}

/**
 * Plays the deploy of a seed to its end. `alone`: every call runs on the old code, with the same requests, to compare with.
 * `faults`: processes die, requests and answers are lost, and some executions go on after the end of their time.
 */
export async function playSeed(seed: number, { alone = false, faults = true } = {}): Promise<Ran> {
  await warm;
  const random = randomOf('migration', seed);
  const world = new World(random);
  const story: string[] = [];
  /** Invocations that are frozen at the end of their time, and thaw later. Powertools may run them outside of Lambda, too. */
  const lateShare = faults && random.next() < 0.3 ? 0.5 : 0;
  const late = new Set<Call>();
  const keys = random.between(1, 2);
  const realNow = Date.now;
  const realTimeout = globalThis.setTimeout;
  // Powertools reads the clock of the process, and a store's pause after a conflict has a timer of the process.
  Date.now = () => world.now;
  globalThis.setTimeout = ((fire: () => void, millis = 0) => {
    void world.runtime.delay(millis).elapsed.then(fire);
    return 0;
  }) as never;
  try {
    for (const versions of STEPS) await playStep(versions);
    await settle();
  } finally {
    Date.now = realNow;
    globalThis.setTimeout = realTimeout;
  }
  const { calls, lateWrites, table } = world;
  const judged = { doubles: doublesOf(calls, lateWrites), foreign: foreignAnswers(calls) };
  return { calls, ...judged, conflicts: table.conflicts, story };

  async function playStep(versions: readonly Version[]): Promise<void> {
    // By the list before this step in docs/recipes/coming-from-powertools.md: no old code runs any more.
    if (!alone && versions.includes('readThrough')) await end((call) => call.version === 'old');
    const begins = random.between(1, 6);
    for (let begun = 0; begun < begins; ) {
      await quiet();
      const moves = world.moves(faults);
      const next = random.weighted([
        [15, 'begin'],
        [faults ? 2 : 0, 'kill'],
        [10, 'time'],
        [moves.length > 0 ? 75 : 0, 'move'],
      ]);
      if (next === 'begin') {
        begun++;
        begin(random.weighted(versions.map((version) => [1, version] as const)));
      } else if (next === 'kill') killOne();
      else if (next === 'time')
        pass(
          random.weighted([
            [4, 5],
            [2, 500],
            [2, 6000],
          ]),
        );
      else play(moves);
    }
  }

  function begin(version: Version): void {
    const key = `key-${random.between(1, keys)}`;
    const call = alone ? 'old' : version;
    world.begin(key, call, LEASE_MILLIS, (begun) => invoke(world, begun));
    if (random.next() < lateShare) late.add(world.calls.at(-1) as Call);
    story.push(`${at()} ${world.calls.at(-1)?.name} begins with ${key}`);
  }

  function killOne(): void {
    const [call] = world.calls.filter(({ isAlive, isOver }) => isAlive && !isOver);
    if (call !== undefined) kill(call, 'dies');
  }

  function kill(call: Call, how: string): void {
    world.kill(call);
    story.push(`${at()} ${call.name} ${how}`);
  }

  function pass(millis: number): void {
    world.now += millis;
    for (const call of world.calls) {
      const isRunning = call.isAlive && !call.isOver;
      if (isRunning && world.now >= call.deadline && !late.has(call)) kill(call, 'is stopped at the end of its time');
    }
  }

  function play(moves: ReturnType<World['moves']>): void {
    const move = random.weighted(moves.map((possible) => [possible.weight, possible] as const));
    story.push(`${at()} ${move.what}`);
    move.make();
  }

  /** All that is on its way arrives, and time passes where nothing else happens. */
  async function end(whose: (call: Call) => boolean): Promise<void> {
    for (let made = 0; made < MAX_MOVES; made++) {
      await quiet();
      if (!world.calls.some((call) => whose(call) && call.isAlive && !call.isOver) && world.moves(false).length === 0)
        return;
      const moves = world.moves(false);
      if (moves.length > 0) play(moves);
      else pass(Math.max(1, (world.nextDue() ?? world.now + 1000) - world.now));
      if (made > MAX_MOVES / 2)
        for (const call of world.calls) if (whose(call) && call.isAlive && !call.isOver) kill(call, 'ends at last');
    }
    throw new Error(`seed ${seed} does not come to its end`);
  }

  function settle(): Promise<void> {
    return end(() => true);
  }

  function at(): string {
    return `${((world.now - Date.UTC(2040, 0, 1)) / 1000).toFixed(3)} s`;
  }
}

/** When nothing is left that could go on by itself. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
