import type { CallRun } from './call.ts';
import type { Turn } from './handler.ts';
import { type Copy, TROUBLES } from './network.ts';
import type { Fault } from './plan.ts';
import type { Timer } from './process.ts';
import type { World } from './world.ts';

/** One thing that may happen next. */
export interface Move {
  readonly weight: number;
  /** For whoever reads the schedule. */
  readonly what: () => string;
  /** Counted under this name. @default it is not counted */
  readonly kind?: string;
  /** The call that it happens to. @default it is the table, or time */
  readonly call?: string;
  /** How much time passes by it, milliseconds. @default none, or until a timer */
  readonly passes?: number;
  make(): void;
}

/** All that may happen next, the plainest first; nothing when only time could pass and nobody waits for it. */
export function moves(world: World): Move[] {
  world.observe();
  const made: Move[] = [];
  const { network, plan } = world;
  for (const copy of network.copies) made.push(plainMove(world, copy));
  for (const call of world.calls) {
    if (!call.process.isAlive) continue;
    for (const turn of call.turns) made.push(goesOn(call, turn));
  }
  for (const next of world.waiting) {
    made.push({
      weight: 3,
      what: () => `call ${next.id} comes in on host ${next.host}`,
      make: () => world.begin(next),
    });
  }
  const timer = world.nextTimer();
  if (timer !== undefined) made.push(fires(world, timer));
  if (made.length === 0) return made;
  if (plan.faults.size > 0) {
    for (const copy of network.copies) faultsOf(world, copy, made);
    if (plan.faults.has('crash')) crashes(world, made);
    troubles(world, made);
    if (plan.faults.has('clock step')) clockSteps(world, made);
    if (plan.faults.has('TTL')) deletions(world, made);
    if (plan.faults.has('lost part')) partLosses(world, made);
  }
  passing(world, made, timer?.due ?? Number.POSITIVE_INFINITY);
  return made;
}

/** A move without chance, for the time when all is well again. */
export function plainestMove(world: World): Move | undefined {
  world.observe();
  const [copy] = world.network.copies;
  if (copy !== undefined) return plainMove(world, copy);
  const call = world.calls.find(({ turns, process }) => turns.length > 0 && process.isAlive);
  const [turn] = call?.turns ?? [];
  if (call !== undefined && turn !== undefined) return goesOn(call, turn);
  const timer = world.nextTimer();
  return timer === undefined ? undefined : fires(world, timer);
}

function goesOn({ plan }: CallRun, turn: Turn): Move {
  return { weight: 4, what: () => `${turn.what} of call ${plan.id} goes on`, call: plan.id, make: () => turn.goOn() };
}

/** How fast time goes on, beside all else: a transaction in SQL has many requests, and would never come to its end. */
function haste({ plan }: World): number {
  return plan.worksInSql === true ? 0.15 : 1;
}

function fires(world: World, timer: Timer): Move {
  const { id } = timer.call.plan;
  const weight = 1.5 * haste(world);
  return { weight, what: () => `a timer of call ${id} fires`, call: id, make: () => world.fire(timer) };
}

function plainMove({ network }: World, copy: Copy): Move {
  const call = copy.request.call.plan.id;
  const trouble = copy.answer === undefined ? network.troubleOf(copy) : undefined;
  if (trouble !== undefined) {
    const make = () => (trouble === 'outage' ? network.hang(copy) : network.refuse(copy));
    return { weight: 5, what: () => `${say(copy)} meets: ${trouble}`, call, make };
  }
  return copy.answer === undefined
    ? {
        weight: copy.waits === true ? 0.5 : 5,
        what: () => `${say(copy)} arrives`,
        call,
        make: () => network.arrive(copy),
      }
    : { weight: 5, what: () => `the answer to ${say(copy)} arrives`, call, make: () => network.deliver(copy) };
}

const REQUEST_FAULTS: readonly (readonly [Fault, (world: World, copy: Copy) => void])[] = [
  ['lost request', ({ network }, copy) => network.breakOff(copy)],
  ['stalled request', ({ network }, copy) => network.breakOff(copy, { stays: true })],
  ['hanging request', ({ network }, copy) => network.hang(copy)],
  ['throttling', ({ network }, copy) => network.throttle(copy)],
  ['refusal', ({ network }, copy) => network.refuse(copy)],
];

const ANSWER_FAULTS: typeof REQUEST_FAULTS = [
  ['lost answer', ({ network }, copy) => network.breakOff(copy)],
  ['hanging answer', ({ network }, copy) => network.hang(copy)],
];

function faultsOf(world: World, copy: Copy, made: Move[]): void {
  const isWaitedFor = copy.number === copy.request.sent && !copy.request.isSettled;
  for (const [fault, happen] of copy.answer === undefined ? REQUEST_FAULTS : ANSWER_FAULTS) {
    if (!world.plan.faults.has(fault) || (fault === 'stalled request' && !isWaitedFor)) continue;
    const call = copy.request.call.plan.id;
    const what = () => `${fault}: ${say(copy)}`;
    made.push({ weight: 0.5, what, kind: fault, call, make: () => happen(world, copy) });
  }
}

function crashes(world: World, made: Move[]): void {
  for (const process of world.busyProcesses()) {
    const what = () => `the process on host ${process.host} dies`;
    made.push({ weight: 0.4, what, kind: 'crash', make: () => world.crash(process) });
  }
}

/** They meet all that a host sends, until they are over. */
function troubles({ network, calls, plan }: World, made: Move[]): void {
  for (const host of new Set(calls.filter(({ isOver }) => !isOver).map(({ process }) => process.host))) {
    const trouble = network.troubles.get(host);
    if (trouble !== undefined) {
      const make = () => void network.troubles.delete(host);
      made.push({ weight: 0.5, what: () => `host ${host}: ${trouble} is over`, make });
      continue;
    }
    for (const kind of TROUBLES.filter((name) => plan.faults.has(name))) {
      const make = () => void network.troubles.set(host, kind);
      made.push({ weight: 0.2, what: () => `host ${host}: ${kind} begins`, kind, make });
    }
  }
}

/** Not in the moment of a timer: it takes a millisecond. */
function clockSteps(world: World, made: Move[]): void {
  if ((world.nextTimer()?.due ?? Number.POSITIVE_INFINITY) <= world.time + 1) return;
  for (const { host } of world.busyProcesses()) {
    for (const offset of world.plan.clockSteps ?? []) {
      if (offset === world.offsets[host]) continue;
      const what = () => `the clock of host ${host} steps to +${offset} ms`;
      made.push({ weight: 0.1, what, kind: 'clock step', make: () => world.stepClock(host, offset) });
    }
  }
}

function deletions(world: World, made: Move[]): void {
  for (const id of world.expired()) {
    const isPart = world.items?.isPart(id) === true;
    const what = () => `TTL deletes a ${isPart ? 'part' : 'record'}`;
    made.push({ weight: 2, what, kind: 'TTL', make: () => (isPart ? world.losePart(id) : world.deleteRecord(id)) });
  }
}

/** By whatever else can write to the table. */
function partLosses(world: World, made: Move[]): void {
  const { items } = world;
  for (const id of items?.ids() ?? []) {
    if (items?.isPart(id) !== true) continue;
    made.push({ weight: 1.5, what: () => 'a part is lost', kind: 'lost part', make: () => world.losePart(id) });
  }
}

/** Time goes on by itself, but not past a timer, unless the processes stand still. */
function passing(world: World, made: Move[], due: number): void {
  const { leaseMillis, clockSkewMillis, retentionSeconds, faults } = world.plan;
  const weight = made.length * 0.25 * haste(world);
  for (const millis of [clockSkewMillis / 2, leaseMillis / 4, leaseMillis + clockSkewMillis, retentionSeconds * 1000]) {
    const isPause = world.time + millis > due;
    if (isPause && !faults.has('pause')) continue;
    const make = () => {
      world.pass(millis);
      world.wasPaused ||= isPause;
    };
    const what = () => `${millis} ms pass${isPause ? ', the processes standing still' : ''}`;
    const kind = isPause && { kind: 'pause' };
    made.push({ weight: isPause ? weight / 4 : weight, what, passes: millis, ...kind, make });
  }
}

function say({ request, number }: Copy): string {
  const copy = number > 1 ? `, sent for the ${number === 2 ? 'second' : 'third'} time` : '';
  return `request ${request.number} of call ${request.call.plan.id} (${request.verb}${copy})`;
}
