import type { Answer, Ending, History, HistoryEvent, Seen, Terms, Violation } from '../lib/history.ts';

type EventOf<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { type: Type }>;
export type Wrote = EventOf<'wrote'>;

/** One run of the function of a step. Times are true time. */
export interface StepRun {
  readonly step: string;
  readonly beganAt: number;
  endedAt?: number;
  /** Absent where it threw, or never ended. */
  result?: string;
}

/** All that the history says of one call. Times are true time. */
export interface CallFacts {
  readonly id: string;
  readonly called: EventOf<'called'>;
  /** How its host's clock steps while it is there. */
  readonly clockSteps: EventOf<'clockStepped'>[];
  started?: EventOf<'started'>;
  readonly extensions: EventOf<'extended'>[];
  endedAt?: number;
  outcome?: Ending;
  /** What was promised to become of it; a timeout makes it `hold`. */
  settlement?: 'store' | 'release' | 'hold';
  /** What retries get, where that is not what its caller gets. */
  kept?: string;
  readonly steps: StepRun[];
  readonly told: EventOf<'stepTold'>[];
  readonly finishings: EventOf<'finishing'>[];
  /** The responses that its handler knows to be stored, and the first of them: from then on nothing is at stake. */
  readonly finishes: EventOf<'finished'>[];
  finished?: EventOf<'finished'>;
  readonly effects: EventOf<'effect'>[];
  watchingAt?: number;
  signalledAt?: number;
  timedOutAt?: number;
  answeredAt?: number;
  answer?: Answer;
  crashedAt?: number;
  readonly reports: EventOf<'reported'>[];
  readonly writes: Wrote[];
  readonly conflicts: EventOf<'conflicted'>[];
  readonly looks: EventOf<'looked'>[];
  readonly failures: EventOf<'failed'>[];
  readonly refusals: EventOf<'full'>[];
  /** Why its transaction was not made. */
  readonly unplanned: EventOf<'planFailed' | 'itemsRefused'>[];
}

export type Execution = CallFacts & { readonly started: EventOf<'started'> };

/** All that the history says of one record id. */
export interface KeyFacts {
  readonly key: string;
  readonly calls: CallFacts[];
  /** Those that started, in this order. */
  readonly executions: Execution[];
  /** What the table had, by time. The first is what it had at the beginning. */
  readonly timeline: { readonly at: number; readonly seen: Seen | undefined }[];
  /** In their order, also of those that happened at the same time. */
  readonly effects: { readonly at: number; readonly call: CallFacts }[];
  readonly deletions: EventOf<'deleted'>[];
  readonly lostParts: EventOf<'partLost'>[];
}

export interface Facts {
  readonly terms: Terms;
  readonly calls: ReadonlyMap<string, CallFacts>;
  readonly keys: ReadonlyMap<string, KeyFacts>;
  report(promise: string, at: number, message: string): void;
}

export function collect(history: History, violations: Violation[]): Facts {
  const calls = new Map<string, CallFacts>();
  const keys = new Map<string, KeyFacts>();
  const report = (promise: string, at: number, message: string) => void violations.push({ promise, at, message });
  for (const event of history.events) take(event);
  return { terms: history.terms, calls, keys, report };

  function take(event: HistoryEvent): void {
    if (event.type === 'called') {
      const facts = {
        id: event.call,
        called: event,
        clockSteps: [],
        extensions: [],
        steps: [],
        told: [],
        finishings: [],
        finishes: [],
        effects: [],
        reports: [],
        writes: [],
        conflicts: [],
        looks: [],
        failures: [],
        refusals: [],
        unplanned: [],
      };
      calls.set(event.call, facts);
      keyOf(event.key).calls.push(facts);
    } else if (event.type === 'deleted') {
      const key = keyOf(event.key);
      key.deletions.push(event);
      key.timeline.push({ at: event.at, seen: undefined });
    } else if (event.type === 'partLost') {
      keyOf(event.key).lostParts.push(event);
    } else {
      const call = calls.get(event.call);
      if (call === undefined) throw new Error(`history: '${event.type}' of a call that was not made: ${event.call}`);
      takeOf(call, event);
    }
  }

  function takeOf(call: CallFacts, event: Exclude<HistoryEvent, { type: 'called' | 'deleted' | 'partLost' }>): void {
    switch (event.type) {
      case 'clockStepped':
        call.clockSteps.push(event);
        return;
      case 'started':
        if (call.started !== undefined) report('I1', event.at, `call ${call.id} executes twice`);
        else keyOf(call.called.key).executions.push(call as Execution);
        call.started = event;
        return;
      case 'extended':
        call.extensions.push(event);
        return;
      case 'ended':
        call.endedAt = event.at;
        call.outcome = event.outcome;
        call.settlement ??= event.settlement;
        if (event.kept !== undefined) call.kept = event.kept;
        return;
      case 'timedOut':
        call.timedOutAt = event.at;
        call.settlement = call.finished === undefined ? 'hold' : 'store';
        return;
      case 'watching':
        call.watchingAt ??= event.at;
        return;
      case 'signalled':
        call.signalledAt ??= event.at;
        return;
      case 'stepBegan':
        call.steps.push({ step: event.step, beganAt: event.at });
        return;
      case 'stepEnded': {
        const run = call.steps.findLast(({ step, endedAt }) => step === event.step && endedAt === undefined);
        if (run === undefined) throw new Error(`history: a step ends that has not begun: ${event.step}`);
        run.endedAt = event.at;
        if (event.result !== undefined) run.result = event.result;
        return;
      }
      case 'stepTold':
        call.told.push(event);
        return;
      case 'finishing':
        call.finishings.push(event);
        return;
      case 'finished':
        call.finishes.push(event);
        call.finished ??= event;
        return;
      case 'effect':
        call.effects.push(event);
        keyOf(event.key).effects.push({ at: event.at, call });
        return;
      case 'answered':
        call.answeredAt = event.at;
        call.answer = event.answer;
        return;
      case 'crashed':
        call.crashedAt ??= event.at;
        return;
      case 'reported':
        call.reports.push(event);
        return;
      case 'wrote':
        call.writes.push(event);
        keyOf(event.key).timeline.push({ at: event.at, seen: event.after });
        return;
      case 'conflicted':
        call.conflicts.push(event);
        return;
      case 'looked':
        call.looks.push(event);
        return;
      case 'failed':
        call.failures.push(event);
        return;
      case 'full':
        call.refusals.push(event);
        return;
      case 'planFailed':
      case 'itemsRefused':
        call.unplanned.push(event);
    }
  }

  function keyOf(key: string): KeyFacts {
    let facts = keys.get(key);
    if (facts === undefined) {
      facts = { key, calls: [], executions: [], timeline: [], effects: [], deletions: [], lostParts: [] };
      keys.set(key, facts);
    }
    return facts;
  }
}

/** When the lease that a call was told of has ended, true time, as it was known to the call at `at`, by its clock of then. */
export function leaseEnd(call: CallFacts, at = Number.POSITIVE_INFINITY, clockAt = at): number {
  let until = call.started?.leaseUntil ?? 0;
  for (const extension of call.extensions) if (extension.at <= at) until = Math.max(until, extension.leaseUntil);
  return until - offsetAt(call, clockAt);
}

/** What the clock of its host showed at `at`, less true time. */
export function offsetAt({ called, clockSteps }: CallFacts, at: number): number {
  return clockSteps.findLast((step) => step.at <= at)?.offset ?? called.offset;
}

/** All that it ever showed while the call was there. */
export function offsetsOf({ called, clockSteps }: CallFacts): number[] {
  return [called, ...clockSteps].map(({ offset }) => offset);
}

/** The last write that stored an outcome of this call. */
export function completionOf(call: CallFacts): Wrote | undefined {
  return call.writes.findLast(({ after }) => after?.status === 'COMPLETED');
}

/** Whether this call's outcome is known to be stored. Without sight of the store, the guard's own word counts. */
export function isKept(call: CallFacts, { storeSeen }: Terms): boolean {
  return storeSeen ? completionOf(call) !== undefined : call.reports.some(({ report }) => report === 'completed');
}

/** Whether a record counts as forgotten for an execution that starts now, on the clock that is furthest ahead. */
export function isPastRetention({ started }: Execution, expiresAt: number, { clockSkewMillis }: Terms): boolean {
  return started.at + clockSkewMillis >= expiresAt;
}

/** When this call let go of the record, so that another one may execute. */
export function releasedAt(call: CallFacts, { storeSeen }: Terms): number | undefined {
  if (storeSeen) return call.writes.find(({ after }) => after?.status === 'RELEASED')?.at;
  return call.settlement === 'release' ? call.endedAt : undefined;
}
