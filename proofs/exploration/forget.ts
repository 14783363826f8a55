import type { Automaton } from './automaton.ts';
import type { Call, State } from './state.ts';

/**
 * Leaves out of the history who can no longer matter to it: a call that never began to execute, never wrote, has nothing
 * on its way and does nothing any more. Whether a promise to it was broken is certain then, so that the caller of this
 * must have judged the state before: the oracle compares such a call with what the table had before its answer, and
 * nobody else with such a call.
 */
export function forget(state: State, automaton: Automaton): State {
  if (!state.calls.some((call, index) => isForgettable(state, call, index))) return state;
  const calls = state.calls.map((call, index): Call => {
    if (!isForgettable(state, call, index)) return call;
    const { id, isTransaction } = call;
    const called = call.events.items()[0];
    if (called?.type !== 'called') throw new Error('exploration: a call begins with being called');
    const answer = { kind: 'refused', code: 'FORGOTTEN' } as const;
    const events = automaton.events.with({ ...called, at: 0 }).with({ type: 'answered', at: 0, call: id, answer });
    return { id, local: undefined, isTransaction, hasCome: true, hasEnded: false, isForgotten: true, events, open: [] };
  });
  return { ...state, calls };
}

function isForgettable({ copies }: State, call: Call, index: number): boolean {
  if (!call.hasCome || call.isForgotten || (call.local !== undefined && !call.local.isOver)) return false;
  if (copies.some((copy) => copy.call === index)) return false;
  return call.events.items().every(({ type }) => type !== 'started' && type !== 'wrote');
}
