import type { Configuration, NetworkFault } from './configuration.ts';
import { instants } from './instants.ts';
import { type Call, type Copy, callAt, type State } from './state.ts';
import { isWaitedFor, type Steps } from './steps.ts';
import { nameOf } from './stimulus.ts';

/** One thing that may happen next. */
export interface Move {
  readonly what: string;
  /** The execution that goes on by it. */
  readonly call?: number;
  /** `undefined` when it turns out to be no move of its own. */
  readonly make: (steps: Steps) => State | undefined | Promise<State | undefined>;
}

/** All that may happen next; nothing when all is over. */
export function movesOf(state: State, configuration: Configuration): Move[] {
  const moves = plainMoves(state, configuration);
  const timers = timersDue(state);
  if (moves.length === 0 && timers.first === Number.POSITIVE_INFINITY) return moves;
  const isSlow = moves.length > 0;
  moves.push(...firing(state, timers));
  for (const copy of state.copies) faults(state, copy, moves);
  if (configuration.crashes) for (const move of [...moves]) crashes(move, moves);
  if (configuration.deletions && isExpired(state)) {
    moves.push({ what: 'TTL deletes a record', make: (steps) => steps.delete(state) });
  }
  passing(state, configuration, timers.first, isSlow, moves);
  return moves;
}

/** Without any fault, and without time. */
export function plainMoves(state: State, configuration: Configuration): Move[] {
  const moves: Move[] = [];
  for (const copy of state.copies) {
    const what = say(state, copy);
    moves.push(
      copy.answer === undefined
        ? { what: `${what} arrives`, make: (steps) => steps.arrive(state, copy) }
        : { what: `the answer to ${what} arrives`, call: copy.call, make: (steps) => steps.deliver(state, copy) },
    );
  }
  for (const [index, call] of state.calls.entries()) userCode(state, index, call, moves);
  coming(state, configuration, moves);
  return moves;
}

function userCode(state: State, index: number, { id, local }: Call, moves: Move[]): void {
  for (const { who, does } of local?.view.turns ?? []) {
    const turn = nameOf({ who, does });
    const make = (steps: Steps) => steps.stimulate(state, index, turn, { kind: 'turn', turn });
    moves.push({ what: `${who} of call ${id} ${does}`, call: index, make });
  }
}

/** Of calls that are the same in everything but their names, the one with the lower number comes first. */
function coming(state: State, { offsets, payloads, transactions }: Configuration, moves: Move[]): void {
  const seen = new Set<string>();
  for (const [index, { id, hasCome }] of state.calls.entries()) {
    const kind = `${offsets[index]} ${payloads[index]} ${transactions[index]}`;
    if (hasCome || seen.has(kind)) continue;
    seen.add(kind);
    const make = (steps: Steps) => steps.stimulate(state, index, 'call', { kind: 'call' });
    moves.push({ what: `call ${id} comes in`, call: index, make });
  }
}

interface Timers {
  readonly first: number;
  /** Those that are due first, by their calls. */
  readonly due: readonly (readonly [call: number, timer: number])[];
}

export function timersDue({ calls }: State): Timers {
  let first = Number.POSITIVE_INFINITY;
  let due: [number, number][] = [];
  for (const [index, { local }] of calls.entries()) {
    for (const [timer, at] of local?.view.timers ?? []) {
      if (at < first) due = [];
      first = Math.min(first, at);
      if (at === first) due.push([index, timer]);
    }
  }
  return { first, due };
}

/** Timers fire in the order in which they are due. Nothing else has to wait for them: when one fires, time has come to it. */
export function firing(state: State, { first, due }: Timers): Move[] {
  if (first > state.time) return [];
  return due.map(([call, timer]) => {
    const what = `a timer of call ${callAt(state, call).id} fires`;
    return { what, call, make: (steps) => steps.fire(state, call, timer) };
  });
}

/** Only what is waited for can fail: a copy that was given up may as well never come. */
function faults(state: State, copy: Copy, moves: Move[]): void {
  if (state.faults === 0 || isWaitedFor(state, copy) === undefined) return;
  if (callAt(state, copy.call).local === undefined) return;
  const less = { ...state, faults: state.faults - 1 };
  const fault = (name: NetworkFault, make: Move['make']) => {
    moves.push({ what: `${name}: ${say(state, copy)}`, call: copy.call, make });
  };
  if (copy.answer === undefined) {
    fault('lost request', (steps) => steps.breakOff(less, copy));
    fault('stalled request', (steps) => steps.breakOff(less, copy, { stays: true }));
    fault('hanging request', (steps) => steps.hang(less, copy));
    fault('refusal', (steps) => steps.refuse(less, copy));
  } else {
    fault('lost answer', (steps) => steps.breakOff(less, copy));
    fault('hanging answer', (steps) => steps.hang(less, copy));
  }
}

export const CRASHES = ', then its execution crashes';
export const LOSING = ', and what it has sent is lost';

/**
 * A crash is explored right behind each thing that an execution does. One that comes later is the same to everybody else:
 * what it has sent arrives later, and it does nothing with the answers.
 */
function crashes({ what, call, make }: Move, moves: Move[]): void {
  if (call === undefined) return;
  const crash = (keeps: boolean) => async (steps: Steps) => {
    const state = await make(steps);
    const local = state && callAt(state, call).local;
    return state === undefined || local === undefined || local.isOver ? undefined : steps.crash(state, call, { keeps });
  };
  moves.push({ what: `${what}${CRASHES}`, make: crash(true) });
  moves.push({ what: `${what}${CRASHES}${LOSING}`, make: crash(false) });
}

function isExpired({ time, record }: State): boolean {
  return record !== undefined && time >= record.value.expiration * 1000;
}

/** Time goes on to an instant that matters. Past a timer that is due it goes only while a process stands still. */
function passing(state: State, configuration: Configuration, due: number, isSlow: boolean, moves: Move[]): void {
  for (const time of instants(state, configuration, due)) {
    const isPause = time > due;
    if (isPause ? state.pauses === 0 : isSlow && state.waits === 0) continue;
    const pauses = state.pauses - (isPause ? 1 : 0);
    const waits = state.waits - (isSlow && !isPause ? 1 : 0);
    const what = `${time - state.time} ms pass${isPause ? ', a process standing still' : ''}`;
    moves.push({ what, make: () => ({ ...state, time, pauses, waits }) });
  }
}

/** As the simulation calls it, so that a path can be played there. */
function say(state: State, { call, request, number, asked: { value } }: Copy): string {
  const verb = value.verb === 'replace' ? `replace by ${value.record.status}` : value.verb;
  const again = number > 1 ? `, sent for the ${number === 2 ? 'second' : 'third'} time` : '';
  return `request ${request} of call ${callAt(state, call).id} (${verb}${again})`;
}
