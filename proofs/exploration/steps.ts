import type { HistoryEvent } from '../lib/history.ts';
import { seen } from '../simulation/table.ts';
import type { Applied, Automaton, Local } from './automaton.ts';
import { type Call, type Copy, callAt, matters, type State } from './state.ts';
import { type Happened, refusalOf, type Stimulus } from './stimulus.ts';

/** What becomes of a state by one thing that happens. All of it is data; only unknown behaviour has to be awaited. */
export class Steps {
  readonly #automaton: Automaton;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  /** The execution learns something, and goes on as far as it can. */
  stimulate(state: State, index: number, key: string, stimulus: Stimulus): State | Promise<State> {
    const { local } = callAt(state, index);
    if (local === undefined) throw new Error('exploration: a crashed execution cannot go on');
    const next = this.#automaton.take(local, key, stimulus, state.time);
    return next instanceof Promise ? next.then((known) => goneOn(state, index, known)) : goneOn(state, index, next);
  }

  /** The table takes the request, and its answer begins its way back to whoever still waits for it. */
  arrive(state: State, copy: Copy): State | Promise<State> {
    const applied = this.#automaton.apply(copy.asked, state.record);
    return applied instanceof Promise
      ? applied.then((known) => arrived(state, copy, known))
      : arrived(state, copy, applied);
  }

  deliver(state: State, copy: Copy): State | Promise<State> {
    const { request, answer } = copy;
    const settled = forgotten(without(state, copy), copy);
    const stimulus = { kind: 'answer', request, value: answer?.value.value } as const;
    return this.stimulate(settled, copy.call, `a${request} ${answer?.number}`, stimulus);
  }

  /** The SDK sees that it failed, and sends it once more, or gives up. */
  breakOff(state: State, copy: Copy, { stays = false } = {}): State | Promise<State> {
    const after = stays ? state : without(state, copy);
    const open = isWaitedFor(state, copy);
    if (open === undefined) return after;
    if (open.sent >= this.#automaton.configuration.sdkTries) return this.fail(after, copy, true);
    const again = { ...copy, number: open.sent + 1 };
    delete (again as { answer?: unknown }).answer;
    const { call, request } = copy;
    const opened = withCall(after, call, (before) => ({
      ...before,
      open: before.open.map((one) => (one.request === request ? { ...one, sent: one.sent + 1 } : one)),
    }));
    return { ...opened, copies: [...opened.copies, again] };
  }

  /** The guard learns that its request has failed. */
  fail(state: State, copy: Copy, retryable: boolean): State | Promise<State> {
    const { call, request } = copy;
    const failed = happened(forgotten(state, copy), call, { type: 'failed', retryable });
    return this.stimulate(failed, call, `f${request} ${retryable}`, { kind: 'failure', request, retryable });
  }

  refuse(state: State, copy: Copy): State | Promise<State> {
    return this.fail(without(state, copy), copy, false);
  }

  /** Nothing more is heard of it. */
  hang(state: State, copy: Copy): State {
    const { call, request } = copy;
    const hung = withCall(without(state, copy), call, (before) => ({
      ...before,
      open: before.open.map((one) => (one.request === request ? { ...one, isLate: true } : one)),
    }));
    return happened(hung, call, { type: 'failed', retryable: true });
  }

  /** Its patience with what is on the way may have ended by it. */
  fire(state: State, index: number, timer: number): State | Promise<State> {
    let late = state;
    for (const { isLate } of callAt(state, index).open) {
      if (!isLate) late = happened(late, index, { type: 'failed', retryable: true });
    }
    late = withCall(late, index, (call) => ({ ...call, open: call.open.map((one) => ({ ...one, isLate: true })) }));
    return this.stimulate(late, index, `t${timer}`, { kind: 'timer', timer });
  }

  /** Nothing of it goes on; what it has sent may still arrive, or was lost with it. */
  crash(state: State, index: number, { keeps }: { keeps: boolean }): State {
    const copies = state.copies.filter(({ call, answer }) => call !== index || (keeps && answer === undefined));
    const dead = withCall(state, index, (call) => ({ ...call, local: undefined }));
    const isAnswered = callAt(state, index)
      .events.items()
      .some(({ type }) => type === 'answered');
    return isAnswered ? { ...dead, copies } : happened({ ...dead, copies }, index, { type: 'crashed' });
  }

  delete(state: State): State {
    const before = seen(state.record?.value);
    if (before === undefined) return state;
    const writes = state.writes.with({ type: 'deleted', at: state.time, key: 'A', before });
    return { ...state, record: undefined, writes };
  }
}

/** The request behind a copy, while its newest copy is this one and its sender waits for it. */
export function isWaitedFor(state: State, { call, request, number }: Copy): Call['open'][number] | undefined {
  return callAt(state, call).open.find((open) => open.request === request && open.sent === number);
}

function withCall(state: State, index: number, change: (call: Call) => Call): State {
  return { ...state, calls: state.calls.with(index, change(callAt(state, index))) };
}

function without(state: State, copy: Copy): State {
  return { ...state, copies: state.copies.filter((other) => other !== copy) };
}

function forgotten(state: State, { call, request }: Copy): State {
  const copies = state.copies.filter(
    (copy) => copy.call !== call || copy.request !== request || copy.answer === undefined,
  );
  return withCall({ ...state, copies }, call, (before) => ({
    ...before,
    open: before.open.filter((open) => open.request !== request),
  }));
}

function happened(state: State, index: number, event: Happened): State {
  const id = callAt(state, index).id;
  return written(state, index, { ...event, at: state.time, call: id } as HistoryEvent);
}

function written(state: State, index: number, event: HistoryEvent): State {
  if (!matters(callAt(state, index), event)) return state;
  const next = withCall(state, index, (call) => ({
    ...call,
    hasEnded: call.hasEnded || event.type === 'ended',
    events: call.events.with(event),
  }));
  if (event.type === 'wrote') return { ...next, writes: next.writes.with(index) };
  return event.type === 'started' ? { ...next, starts: next.starts.with(index) } : next;
}

function goneOn(state: State, index: number, local: Local): State {
  let next = withCall(state, index, (call) => {
    const open = [...local.view.requests.keys()].map(
      (request) => call.open.find((one) => one.request === request) ?? { request, sent: 1, isLate: false },
    );
    return { ...call, local, hasCome: true, open };
  });
  for (const event of local.view.events) next = written(next, index, event);
  const known = new Set(callAt(state, index).local?.view.requests.keys());
  const sent: Copy[] = [];
  for (const [request, asked] of local.view.requests) {
    if (!known.has(request)) sent.push({ call: index, request, number: 1, asked });
  }
  return sent.length === 0 ? next : { ...next, copies: [...next.copies, ...sent] };
}

function arrived(state: State, copy: Copy, { record, answer, wrote, effects, itemsRefused }: Applied): State {
  const { call, asked } = copy;
  const open = isWaitedFor(state, copy);
  const moved: State = { ...without(state, copy), record };
  // Nobody listens for any other answer.
  const next =
    open === undefined || callAt(state, call).local === undefined
      ? moved
      : { ...moved, copies: [...moved.copies, { ...copy, answer }] };
  const before = seen(state.record?.value);
  if (wrote) {
    const after = seen(record?.value);
    const changed = happened(next, call, { type: 'wrote', key: 'A', before, after, stray: open === undefined });
    return effects === 0 ? changed : happened(changed, call, { type: 'effect', key: 'A' });
  }
  if (asked.value.verb === 'read') {
    return open === undefined ? next : happened(next, call, { type: 'looked', key: 'A', found: before });
  }
  const met = happened(next, call, { type: 'conflicted', key: 'A', found: before });
  if (!itemsRefused || open === undefined) return met;
  return happened(met, call, { type: 'itemsRefused', key: 'A', text: refusalOf(callAt(state, call).id) });
}
