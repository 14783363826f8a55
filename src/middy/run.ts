import type { Execution } from '../core/execution/execution.ts';
import { DONE, type Settled } from '../core/execution/held-record.ts';
import type { Settlement } from '../core/options.ts';
import { leaseLostError } from '../core/record/failures.ts';
import { type Outcome, returned, threw } from '../core/record/outcome.ts';
import { isThenable, type MiddyRequest, type RequestListener, resultOf, stateOf, type Thenable } from './request.ts';
import type { TimeoutWatch } from './timeout.ts';

/** One guarded invocation, from its won claim until its outcome is settled. */
export interface MiddyRun extends RequestListener {
  /** The last hook after the handler. */
  after(): Promise<void>;
  /** The last hook of the error path. The caller gets the error, or the response that a hook made of it. */
  onError(): Promise<void>;
}

interface RunContext {
  readonly request: MiddyRequest;
  readonly execution: Execution;
  readonly timeout: TimeoutWatch;
  /** What the caller gets when another execution has the request: a response, or the error is thrown. */
  readonly reject: (error: unknown) => unknown;
}

/** What the handler answered, before any hook changed it. */
interface Answer {
  readonly value: unknown;
  /** The answer was a thenable, and it has failed. */
  readonly isRejected?: boolean;
}

/** An outcome as the caller gets it, and the write that settles it. */
interface Ending {
  readonly outcome: Outcome;
  readonly settled: Promise<Settled>;
}

export function createRun({ request, execution, timeout, reject }: RunContext): MiddyRun {
  let answer: Answer | undefined;
  /** Once something has failed, the policy judges this: the handler's answer if there was one, else the error. */
  let failure: Outcome | undefined;
  /** Decided once: when the handler has answered, or at the first reason to settle. A timeout overrules it. */
  let settlement: Settlement | 'time out' | undefined;
  let lastWrite: Promise<Settled> | undefined;
  /** What the caller gets is certain, and is being settled. */
  let isClosed = false;

  return { answered, failed, failedAgain, endedEarly, after, onError };

  function answered(response: unknown): void {
    answer = { value: response };
    if (timeout.isTimeout()) settlement = 'time out';
    // Later hooks may change the response in place, and the policy judges what the handler did. `undefined` may be
    // Middy's reset at the start of its error path.
    if (response !== undefined && !isThenable(response)) decide(returned(response));
  }

  function failed(error: unknown, hasAnswered: boolean): void {
    if (isClosed) return;
    // The answer may be a response that a `before` hook wrote. Then the time alone proves no timeout, and Middy's own error does.
    const isTimeout = hasAnswered ? timeout.isMiddyError(error) : timeout.isTimeout(error);
    if (isTimeout) settlement = 'time out';
    if (!hasAnswered || isTimeout || !answer || answer.isRejected) {
      failure = threw(error);
      return;
    }
    failure = returned(answer.value);
    // A hook threw before the handler's thenable was awaited: its work may be under way, or may never begin.
    if (isThenable(answer.value)) settlement ??= 'hold';
    // The work is done. If a hook of the error path throws, Middy skips our own hook: the write begins before they run.
    begin(threw(error));
  }

  function failedAgain(error: unknown, ended: boolean): void {
    if (isClosed) return;
    if (ended) void settle(threw(error));
    else begin(threw(error));
  }

  async function endedEarly(early: unknown): Promise<unknown> {
    const response = isThenable(early) ? await awaited(early) : early;
    // On the error path, Middy throws the error when there is no response.
    if (failure && response === undefined) {
      const { error } = request;
      await settle(threw(error), true).settled;
      throw error;
    }
    return closeWith(response);
  }

  async function after(): Promise<void> {
    const { response } = request;
    // Middy awaits promises only. It would begin, or end, the work of a thenable after everything is settled.
    request.response = await closeWith(isThenable(response) ? await awaited(response) : response);
  }

  async function onError(): Promise<void> {
    if (isClosed) return;
    const { response, error } = request;
    if (response === undefined) await settle(threw(error), true).settled;
    else request.response = await closeWith(response);
  }

  /** Resolves with what the caller gets. */
  async function closeWith(response: unknown): Promise<unknown> {
    const { outcome, settled } = settle(returned(response), true);
    const ending = await settled;
    // What a hook of the error path made of the error is the answer of this request, whatever another execution did.
    if (ending.kind === 'done' || failure) return outcome.kind === 'returned' ? outcome.value : response;
    if (ending.kind === 'leaseLost') return reject(leaseLostError());
    return ending.outcome.kind === 'threw' ? reject(ending.outcome.error) : ending.outcome.value;
  }

  async function awaited(work: Thenable): Promise<unknown> {
    const isAnswer = work === answer?.value;
    try {
      const value = await resultOf(request, work);
      if (isAnswer) answer = { value };
      return value;
    } catch (error) {
      if (isAnswer) answer = { value: work, isRejected: true };
      throw error;
    }
  }

  /** Stores what is certain already. It does not release: the hooks that follow belong to this execution. */
  function begin(outcome: Outcome): void {
    if (decide(outcome) === 'store') void settle(outcome);
  }

  /**
   * Settles, or replaces the stored outcome where the caller is going to see another one. The latest outcome wins.
   * `isFinal`: no other outcome follows.
   */
  function settle(outcome: Outcome, isFinal = false): Ending {
    isClosed = isFinal;
    const decided = decide(outcome);
    if (decided !== 'store') {
      lastWrite ??= leave(decided);
      return { outcome, settled: lastWrite };
    }
    const encoded = execution.format.encode(outcome);
    lastWrite = afterWrite(lastWrite, () => execution.store(encoded, isFinal));
    return { outcome: encoded.outcome, settled: lastWrite };
  }

  function leave(how: Exclude<Settlement, 'store'> | 'time out'): Promise<Settled> {
    if (how !== 'time out') return afterWrite(undefined, () => execution[how]());
    // The handler may still be running: this outcome is Middy's, not the handler's.
    execution.timeOut();
    return Promise.resolve(DONE);
  }

  async function afterWrite(before: Promise<Settled> | undefined, perform: () => Promise<Settled>): Promise<Settled> {
    const earlier = await before;
    if (earlier && earlier.kind !== 'done') return earlier;
    // A `complete` that the handler did not await is a completion, too.
    if (failure) await execution.completionsEnd();
    return failure && execution.isCompleted() ? execution.hold() : perform();
  }

  function decide(outcome: Outcome): Settlement | 'time out' {
    if (settlement) return settlement;
    const judged = failure ?? (answer ? returned(answer.value) : outcome);
    const end = judged.kind === 'returned' ? judged.value : judged.error;
    const state = stateOf(request);
    // The handler has stored its response itself. A later failure does not replace it.
    if (failure && execution.isCompleted()) settlement = 'hold';
    // Another guard behind this one has rejected the request: the handler has not run.
    else if ('rejection' in state && state.rejection === end) settlement = 'release';
    else settlement = execution.settlementOf(judged);
    return settlement;
  }
}
