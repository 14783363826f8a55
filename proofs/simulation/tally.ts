import type { Outcome } from './schedule.ts';

/** What happened in many schedules together: plain data, so that a worker can send it. */
export interface Tally {
  schedules: number;
  moves: number;
  /** How often each thing happened. */
  readonly counts: Map<string, number>;
  /** One number for each history that differs from all others in what happened, times left out. */
  readonly histories: Set<number>;
  /** Seeds of schedules that broke a promise. */
  readonly failed: number[];
}

export function emptyTally(): Tally {
  return { schedules: 0, moves: 0, counts: new Map(), histories: new Set(), failed: [] };
}

export function count(tally: Tally, seed: number, moves: number, { history, faults, violations }: Outcome): void {
  tally.schedules++;
  tally.moves += moves;
  for (const [fault, times] of faults) add(tally, `fault: ${fault}`, times);
  let hash = 0;
  for (const event of history.events) {
    if (event.type === 'reported') add(tally, `reported: ${event.report}`, 1);
    else if (event.type === 'answered' && event.answer.kind === 'refused')
      add(tally, `refused: ${event.answer.code}`, 1);
    else add(tally, event.type === 'wrote' && event.stray ? 'wrote, given up by its client' : event.type, 1);
    const call = 'call' in event ? event.call : event.key;
    const detail = event.type === 'wrote' ? `${event.before?.by} ${event.after?.status}` : '';
    hash = mix(hash, `${event.type} ${call} ${detail}`);
  }
  tally.histories.add(hash);
  if (violations.length > 0) tally.failed.push(seed);
}

export function merge(into: Tally, { schedules, moves, counts, histories, failed }: Tally): void {
  into.schedules += schedules;
  into.moves += moves;
  for (const [name, times] of counts) add(into, name, times);
  for (const history of histories) into.histories.add(history);
  into.failed.push(...failed);
}

function add({ counts }: Tally, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}

/** 52 bits: among a million histories two that differ meet with a chance of one to ten thousand. */
function mix(hash: number, text: string): number {
  let low = (hash % 2 ** 26) | 0;
  let high = Math.floor(hash / 2 ** 26) | 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x5bd1e995) & 0x3ffffff;
    high = (Math.imul(high + code, 0x01000193) ^ (low >>> 13)) & 0x3ffffff;
  }
  return high * 2 ** 26 + low;
}
