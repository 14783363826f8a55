import type { Violation } from '../lib/history.ts';
import { judge } from '../oracle/oracle.ts';
import type { Automaton } from './automaton.ts';
import { firing, type Move, plainMoves, timersDue } from './moves.ts';
import { eventsOf, type State } from './state.ts';
import type { Steps } from './steps.ts';

/** Which promises the history of a state breaks. */
export function violationsOf(state: State, { configuration }: Automaton): Violation[] {
  const { clockSkewMillis, onExpiredLease, pauses } = configuration;
  const punctual = state.pauses === pauses;
  const terms = {
    clockSkewMillis,
    onExpiredLease,
    clocksAgree: true,
    punctual,
    storeSeen: true,
    patienceMillis: 10_000,
  };
  return judge({ terms, events: eventsOf(state) });
}

/** When all is over: every lease runs out, and one more request for each payload comes, which must get through. */
export async function endWell(state: State, steps: Steps, automaton: Automaton): Promise<State> {
  const { leaseMillis, clockSkewMillis, offsets, payloads, transactions } = automaton.configuration;
  const record = state.record?.value;
  const lease = record?.status === 'IN_PROGRESS' ? record.leaseUntil - state.time : 0;
  const skew = clockSkewMillis + Math.max(...offsets);
  let ended: State = { ...state, time: state.time + Math.max(leaseMillis, lease) + skew };
  const asked = new Set(payloads.slice(0, offsets.length));
  for (const [number, payload] of [...asked].entries()) {
    const [offset = 0, [isTransaction = false]] = [offsets.at(-1), transactions];
    const probe = automaton.call({ id: `probe ${number + 1}`, offset, payload, isTransaction, isProbe: true });
    ended = { ...ended, calls: [...ended.calls, probe] };
    ended = await settled(
      await steps.stimulate(ended, ended.calls.length - 1, 'call', { kind: 'call' }),
      steps,
      automaton,
    );
  }
  return ended;
}

async function settled(state: State, steps: Steps, automaton: Automaton): Promise<State> {
  for (let now = state; ; ) {
    const move = plainest(now, automaton);
    if (move === undefined) return now;
    now = (await move.make(steps)) ?? now;
  }
}

function plainest(state: State, { configuration }: Automaton): Move | undefined {
  const [move] = plainMoves(state, configuration);
  if (move !== undefined) return move;
  const timers = timersDue(state);
  if (timers.first === Number.POSITIVE_INFINITY) return undefined;
  return firing({ ...state, time: Math.max(state.time, timers.first) }, timers)[0];
}
