import type { History, Violation } from '../lib/history.ts';
import { judge } from '../oracle/oracle.ts';
import type { Choices } from './choices.ts';
import { type Move, moves, plainestMove } from './moves.ts';
import { choosePlan, type Plan, type PlanLimits, probe } from './plan.ts';
import { warmUp } from './wire.ts';
import { World } from './world.ts';

/** Longer schedules show nothing that shorter ones do not. */
const MAX_MOVES = 300;

export interface Outcome {
  readonly plan: Plan;
  readonly history: History;
  readonly violations: readonly Violation[];
  /** How often each kind of fault happened. */
  readonly faults: ReadonlyMap<string, number>;
}

/** Told of every move, before it is made. */
export type Watch = (world: World, move: Move) => void;

/** Runs one schedule to its end: choices all the way, then everything goes well, then every key must get through. */
export function runSchedule(choices: Choices, limits: PlanLimits, watch?: Watch): Promise<Outcome> {
  const next = (possible: readonly Move[]) => possible[choices.choose(possible.map(({ weight }) => weight))];
  return play(choosePlan(choices, limits), limits, next, watch);
}

/** Plays a plan: `next` says which of the possible moves is made, and ends the choices by none. */
export async function play(
  plan: Plan,
  limits: PlanLimits,
  next: (possible: readonly Move[]) => Move | undefined,
  watch?: Watch,
): Promise<Outcome> {
  if (plan.store === 'dynamodb') await warmUp();
  const world = new World(plan);
  const faults = new Map<string, number>();
  for (let made = 0; made < MAX_MOVES; made++) {
    await quiet();
    const possible = moves(world);
    const move = possible.length === 0 ? undefined : next(possible);
    if (move === undefined) break;
    if (move.kind !== undefined) faults.set(move.kind, (faults.get(move.kind) ?? 0) + 1);
    watch?.(world, move);
    move.make();
  }
  await endWell(world, watch);
  const history = historyOf(world, limits);
  return { plan, history, violations: judge(history), faults };
}

function historyOf({ plan, events, wasPaused }: World, { beyondTolerance }: PlanLimits): History {
  const { clockSkewMillis, onExpiredLease } = plan;
  const terms = {
    clockSkewMillis,
    onExpiredLease,
    clocksAgree: !beyondTolerance,
    punctual: !wasPaused,
    storeSeen: true,
    patienceMillis: plan.entry === 'lambda' ? Number.POSITIVE_INFINITY : 10_000,
  };
  return { terms, events };
}

/** No more faults. What is on the way arrives, leases run out, and one more request for each key and payload comes. */
async function endWell(world: World, watch?: Watch): Promise<void> {
  world.network.troubles.clear();
  await settleAll(world, watch);
  world.sql?.endAll();
  const { offsets, plan } = world;
  const { leaseMillis, clockSkewMillis } = plan;
  const longest = Math.max(leaseMillis, ...leases(world));
  world.time += longest + clockSkewMillis + Math.max(...offsets.map(Math.abs));
  const asked = new Set<string>();
  let number = 0;
  for (const { plan } of [...world.calls]) {
    const request = `${plan.key} ${plan.payload}`;
    if (asked.has(request)) continue;
    asked.add(request);
    world.begin(probe(world.plan, plan.key, plan.payload, ++number));
    await settleAll(world, watch);
  }
}

function leases({ network: { rows }, time }: World): number[] {
  return [...rows.ids()].map((id) => (rows.seen(id)?.leaseUntil ?? time) - time);
}

async function settleAll(world: World, watch: Watch | undefined): Promise<void> {
  for (;;) {
    await quiet();
    // Who is renewed and never ends has the key for ever, and rightly so.
    if (world.plan.renewLease === true) world.crashHanging();
    const move = plainestMove(world);
    if (move === undefined) return;
    watch?.(world, move);
    move.make();
  }
}

let nextTurn: Promise<void> | undefined;

/**
 * When nothing is left that could go on by itself: Node takes its next turn only when no promise has a reaction left.
 * Schedules that run at the same time wait for the same turn, which makes them cheap.
 */
function quiet(): Promise<void> {
  nextTurn ??= new Promise((resolve) => {
    setImmediate(() => {
      nextTurn = undefined;
      resolve();
    });
  });
  return nextTurn;
}
