import type { Violation } from '../support/history.ts';
import { judge } from '../support/oracle.ts';
import { type Move, moves } from './moves.ts';
import type { Plan } from './plan.ts';
import { endWell, historyOf, quiet } from './schedule.ts';
import { seen } from './table.ts';
import { mix } from './tally.ts';
import { World } from './world.ts';

/** What may happen in one schedule, at most, besides everything that goes as it should, in any order. */
export interface Bounds {
  readonly crashes: number;
  /** Of all other kinds that the plan allows, together. */
  readonly faults: number;
  /** How often time passes until every lease of now is over. Timers fire besides. */
  readonly waits: number;
}

export interface Explored {
  states: number;
  /** Moves from one state to another one. */
  moves: number;
  /** Schedules that were run to the end and judged. */
  schedules: number;
  readonly broken: {
    readonly plan: Plan;
    readonly moves: readonly string[];
    readonly violations: readonly Violation[];
  }[];
}

const LIMITS = { beyondTolerance: false };
const AT_ONCE = 16;

/**
 * Every schedule of the plan within the bounds. A schedule is begun anew for each branch, as a driver that runs cannot be
 * copied; and it is left where it comes to a state that was there before. Two states are the same when time, the table,
 * what is on its way, and all that has happened to each call, with its times, are the same: then everything that a
 * process knows is the same, too.
 */
export async function explore(plan: Plan, bounds: Bounds, explored: Explored): Promise<void> {
  const known = new Set<number>();
  const branches: number[][] = [[]];
  let running = 0;
  const lane = async () => {
    while (branches.length > 0 || running > 0) {
      const branch = branches.pop();
      if (branch === undefined) await quiet();
      else {
        running++;
        await follow(branch);
        running--;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));

  async function follow(branch: readonly number[]): Promise<void> {
    const run = new Run(plan, bounds);
    const taken: number[] = [];
    for (;;) {
      await quiet();
      const possible = run.possible();
      if (possible.length === 0) break;
      if (taken.length >= branch.length) {
        const state = run.state();
        if (known.has(state)) return;
        known.add(state);
        explored.states++;
        explored.moves += possible.length;
        for (let other = possible.length - 1; other > 0; other--) branches.push([...taken, other]);
      }
      const index = branch[taken.length] ?? 0;
      taken.push(index);
      const move = possible[index];
      if (move === undefined) throw new Error('explore: the same choices have led elsewhere');
      run.make(move);
    }
    await endWell(run.world);
    explored.schedules++;
    const violations = judge(historyOf(run.world, LIMITS));
    if (violations.length > 0) explored.broken.push({ plan, moves: run.made, violations });
  }
}

/** One schedule, and what distinguishes the state that it has come to. */
class Run {
  readonly world: World;
  readonly made: string[] = [];
  readonly #left: { crashes: number; faults: number; waits: number };
  /** All that has happened to each call, and to the table by itself. */
  readonly #pasts = new Map<string, number>();

  constructor(plan: Plan, bounds: Bounds) {
    this.world = new World(plan);
    this.#left = { ...bounds };
  }

  possible(): Move[] {
    const { leaseMillis, clockSkewMillis } = this.world.plan;
    return moves(this.world).filter(({ kind, passes }) => {
      if (passes !== undefined) return passes === leaseMillis + clockSkewMillis && this.#left.waits > 0;
      if (kind === undefined || kind === 'TTL') return true;
      return kind === 'crash' ? this.#left.crashes > 0 : this.#left.faults > 0;
    });
  }

  make(move: Move): void {
    const { world } = this;
    const { kind, passes, call = 'table' } = move;
    if (passes !== undefined) this.#left.waits--;
    else if (kind === 'crash') this.#left.crashes--;
    else if (kind !== undefined && kind !== 'TTL') this.#left.faults--;
    const before = [...world.network.table.ids()].map((id) => JSON.stringify(seen(world.network.table.get(id))));
    this.made.push(move.what());
    move.make();
    if (passes === undefined) {
      this.#pasts.set(call, mix(this.#pasts.get(call) ?? 0, `${world.time} ${this.made.at(-1)} ${before}`));
    }
  }

  state(): number {
    const { network, time } = this.world;
    const table = [...network.table.ids()].map((id) => JSON.stringify(network.table.get(id)));
    const copies = network.copies.map(
      ({ request, number, answer }) => `${request.call.plan.id} ${request.number} ${number} ${answer !== undefined}`,
    );
    const pasts = [...this.#pasts].map(([call, past]) => `${call} ${past}`);
    const { crashes, faults, waits } = this.#left;
    return mix(0, `${time} ${crashes} ${faults} ${waits} ${table} ${copies.sort()} ${pasts.sort()}`);
  }
}
