import type { Violation } from '../lib/history.ts';
import { Automaton } from './automaton.ts';
import type { Configuration } from './configuration.ts';
import { forget } from './forget.ts';
import { type Move, movesOf } from './moves.ts';
import { numbersOf, type State } from './state.ts';
import { Steps } from './steps.ts';
import { endWell, violationsOf } from './terminal.ts';
import { hash, Visited } from './visited.ts';

export interface Found {
  readonly violations: readonly Violation[];
  /** What happened, one move a line. */
  readonly path: readonly string[];
  readonly state: State;
}

export interface Report {
  readonly configuration: Configuration;
  readonly isComplete: boolean;
  states: number;
  /** Moves from one state to another one. */
  transitions: number;
  /** States in which all is over, each judged with the requests that come after it. */
  ends: number;
  /** Ways from the beginning to an end: what one would have to run one by one. */
  readonly schedules: number;
  depth: number;
  /** What an execution can have come to: states of the automaton that the real code is. */
  readonly locals: number;
  /** How often the real code was run from its beginning. */
  readonly runs: number;
  readonly found: readonly Found[];
  /** Of the processor. */
  readonly seconds: number;
}

export interface Limits {
  /** @default 1 */
  readonly maxFound?: number;
  readonly maxStates?: number;
  /** Without it every schedule is gone through by itself. @default true */
  readonly prunes?: boolean;
  /** Told of each end, with the requests that come after it, and of how it came to that. */
  readonly onEnd?: (state: State, path: readonly string[]) => void;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly states: number;
  readonly depth: number;
  readonly seconds: number;
}

/** So many transitions at once: signals have to get through. */
const YIELDS = 5000;

interface Frame {
  readonly state: State;
  readonly low: number;
  readonly high: number;
  readonly moves: readonly Move[];
  next: number;
  /** Ways from here to an end, as far as they are known. */
  schedules: number;
}

/** Goes through everything that can happen, depth first; a state that was met before is not gone through again. */
export async function explore(configuration: Configuration, limits: Limits = {}): Promise<Report> {
  const { maxFound = 1, maxStates = Number.POSITIVE_INFINITY, prunes = true, onEnd, onProgress } = limits;
  const automaton = new Automaton(configuration);
  const steps = new Steps(automaton);
  const visited = new Visited();
  const before = process.cpuUsage();
  const counts = { states: 0, transitions: 0, ends: 0, depth: 0 };
  const found: Found[] = [];
  const stack: Frame[] = [];
  let schedules = 0;
  let isStopped = false;

  await enter(beginning(automaton));
  while (stack.length > 0 && !isStopped) {
    const frame = stack[stack.length - 1] as Frame;
    const move = frame.moves[frame.next++];
    if (move === undefined) leave(frame);
    else {
      const made = move.make(steps);
      const state = made instanceof Promise ? await made : made;
      if (state === undefined) continue;
      counts.transitions++;
      const entered = enter(state);
      if (entered !== undefined) await entered;
      else if (counts.transitions % YIELDS === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const { locals, runs } = automaton;
  return {
    configuration,
    isComplete: !isStopped,
    ...counts,
    schedules,
    locals,
    runs,
    found,
    seconds: secondsSince(before),
  };

  function enter(complete: State): Promise<void> | undefined {
    const state = prunes ? forget(complete, automaton) : complete;
    if (state !== complete) blame(violationsOf(complete, automaton).filter(isFinal), complete);
    const [low, high] = hash(numbersOf(state));
    const known = prunes ? visited.get(low, high) : undefined;
    if (known !== undefined) {
      add(known);
      return undefined;
    }
    counts.states++;
    if (counts.states % 10_000 === 0) onProgress?.({ ...counts, seconds: secondsSince(before) });
    if (counts.states >= maxStates) isStopped = true;
    const moves = movesOf(state, configuration);
    stack.push({ state, low, high, moves, next: 0, schedules: moves.length === 0 ? 1 : 0 });
    counts.depth = Math.max(counts.depth, stack.length);
    return moves.length === 0 ? end(state) : undefined;
  }

  function leave({ low, high, schedules: ways }: Frame): void {
    stack.pop();
    if (prunes) visited.set(low, high, ways);
    add(ways);
  }

  function add(ways: number): void {
    const above = stack[stack.length - 1];
    if (above === undefined) schedules = ways;
    else above.schedules += ways;
  }

  async function end(state: State): Promise<void> {
    counts.ends++;
    const path = onEnd === undefined ? [] : pathTo();
    const ended = await endWell(state, steps, automaton);
    blame(violationsOf(ended, automaton), ended);
    onEnd?.(ended, path);
  }

  function blame(violations: readonly Violation[], at: State): void {
    if (violations.length === 0) return;
    found.push({ violations, path: pathTo(), state: at });
    if (found.length >= maxFound) isStopped = true;
  }

  function pathTo(): string[] {
    return stack.flatMap(({ moves, next }) => moves[next - 1]?.what ?? []);
  }
}

/** Of the processor: other work on the machine makes no difference. */
function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** In the middle of a schedule nobody can say that a call is never answered. */
function isFinal({ promise }: Violation): boolean {
  return promise !== 'progress';
}

/** When it begins, true time: like a true one it has fractions of a second. */
const BEGINNING = 2_000_000_000_125;

function beginning(automaton: Automaton): State {
  const { offsets, payloads, transactions, faults, pauses, waits } = automaton.configuration;
  const calls = offsets.map((offset, index) => {
    const [payload = 'p', isTransaction = false] = [payloads[index], transactions[index]];
    return automaton.call({ id: `${index + 1}`, offset, payload, isTransaction, isProbe: false });
  });
  const budgets = { faults, pauses, waits };
  return {
    time: BEGINNING,
    record: undefined,
    calls,
    copies: [],
    writes: automaton.writes,
    starts: automaton.starts,
    ...budgets,
  };
}
