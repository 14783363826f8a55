import type { Execution } from '../core/execution/execution.ts';
import type { Settled } from '../core/execution/held-record.ts';
import { leaseLostError } from '../core/execution/lease-errors.ts';
import type { Settlement } from '../core/options.ts';
import { encodeOutcome, type Outcome, snapshotOf } from '../core/record/outcome.ts';
import { isRefusal } from './refusal.ts';
import type { MiddyRequest, RequestListener } from './request.ts';
import { isThenable, outcomeOf, type Thenable } from './thenable.ts';
import type { TimeoutWatch } from './timeout.ts';

/** What the caller gets when the outcome is in somebody else's hands. @default the error is thrown */
export type Refuse = (error: unknown) => unknown;

type Returned = Extract<Outcome, { kind: 'returned' }>;

/** One guarded invocation, from its won claim until its outcome is settled. */
export class MiddyRun implements RequestListener {
  readonly #request: MiddyRequest;
  readonly #execution: Execution;
  readonly #timeout: TimeoutWatch;
  readonly #refuse: Refuse;
  /** The handler's own answer, before any hook has changed it. */
  #answer: unknown;
  #hasAnswered = false;
  /** What the policy judges once something has failed: the handler's answer if there was one, else the error. */
  #failure: Outcome | undefined;
  /** The answer was work to wait for, and has failed. */
  #rejected = false;
  #timedOut = false;
  /** Decided once: as soon as the handler has answered, or at the first reason to settle. */
  #settlement: Settlement | undefined;
  /** All writes so far, one after the other. */
  #settled: Promise<Settled> | undefined;
  /** The outcome of the last write, as it was then. */
  #written: string | undefined;
  /** What the caller gets is certain, and is being settled. */
  #closed = false;

  constructor(request: MiddyRequest, execution: Execution, timeout: TimeoutWatch, refuse: Refuse) {
    this.#request = request;
    this.#execution = execution;
    this.#timeout = timeout;
    this.#refuse = refuse;
  }

  answered(response: unknown): void {
    this.#answer = response;
    this.#timedOut = this.#timeout.isTimeout();
    this.#hasAnswered = true;
    // Hooks behind may write into it: what they make of it is not what the handler has done. Nothing may be the reset by which
    // Middy's error path begins.
    if (response !== undefined && !isThenable(response)) this.#decide({ kind: 'returned', value: response });
  }

  failed(error: unknown, answered: boolean): void {
    if (this.#closed) return;
    // What looks like an answer may have been written by a hook in front of the handler; Middy's own error is certain.
    const isTimeout = answered ? this.#timeout.isMiddyError(error) : this.#timeout.isTimeout(error);
    this.#timedOut ||= isTimeout;
    const isDone = answered && !isTimeout && !this.#rejected;
    this.#failure = isDone ? { kind: 'returned', value: this.#answer } : { kind: 'threw', error };
    // A hook has thrown before anybody waited for the handler's work: it may be under way, or may never begin.
    if (isDone && isThenable(this.#answer)) this.#settlement = 'hold';
    // The work is done. A hook of the error path that throws would keep us from storing that: begin before they run.
    if (isDone) this.#begin({ kind: 'threw', error });
  }

  failedAgain(error: unknown, ended: boolean): void {
    if (this.#closed) return;
    if (ended) void this.#settle({ kind: 'threw', error });
    else this.#begin({ kind: 'threw', error });
  }

  /** Resolves with what the caller gets. */
  async endedEarly(early: unknown): Promise<unknown> {
    const response = isThenable(early) ? await this.#outcomeOf(early) : early;
    const { error } = this.#request;
    // On the error path, Middy throws the error when there is no response.
    if (this.#failure !== undefined && response === undefined) {
      await this.#close({ kind: 'threw', error });
      throw error;
    }
    const outcome = this.#asStored({ kind: 'returned', value: response });
    const settled = await this.#close(outcome);
    return this.#failure === undefined ? this.#answerOf(settled, outcome.value) : outcome.value;
  }

  /** The last hook after the handler. */
  async after(): Promise<void> {
    // Middy waits for promises alone, and would begin, or end, this work when everything is settled.
    if (isThenable(this.#request.response)) this.#request.response = await this.#outcomeOf(this.#request.response);
    const outcome = this.#asStored({ kind: 'returned', value: this.#request.response });
    const settled = await this.#close(outcome);
    this.#request.response = await this.#answerOf(settled, outcome.value);
  }

  /** The last hook of the error path: what the caller sees is the error, or the response that was made of it. */
  async onError(): Promise<void> {
    if (this.#closed) return;
    const { response, error } = this.#request;
    if (response === undefined) return void (await this.#close({ kind: 'threw', error }));
    const outcome = this.#asStored({ kind: 'returned', value: response });
    this.#request.response = outcome.value;
    await this.#close(outcome);
  }

  /** The response may be in other hands, too, which change it while it is being stored: the caller gets what a retry will get. */
  #asStored(outcome: Returned): Returned {
    return this.#decide(outcome) === 'store' ? (snapshotOf(outcome) as Returned) : outcome;
  }

  async #outcomeOf(work: Thenable): Promise<unknown> {
    const isAnswer = work === this.#answer;
    try {
      const outcome = await outcomeOf(work);
      if (isAnswer) this.#answer = outcome;
      return outcome;
    } catch (error) {
      this.#rejected ||= isAnswer;
      throw error;
    }
  }

  /**
   * Stores what is certain already. Nothing is released yet: the hooks that are still to come belong to this execution, and no
   * other one may begin beside them.
   */
  #begin(outcome: Outcome): void {
    if (this.#decide(outcome) === 'store') void this.#settle(outcome);
  }

  #close(outcome: Outcome): Promise<Settled> {
    this.#closed = true;
    return this.#settle(outcome);
  }

  /** Settles, or amends what is stored where the caller is going to see something else. The latest outcome wins. */
  #settle(outcome: Outcome): Promise<Settled> {
    const before = this.#settled;
    const settlement = this.#decide(outcome);
    if (before !== undefined && settlement !== 'store') return before;
    // A hook may change an error in place, so that its text is what counts. Only an amendment has to compare.
    const text = before === undefined && this.#closed ? undefined : JSON.stringify(encodeOutcome(outcome));
    if (before !== undefined && text === this.#written) return this.#confirm(before);
    this.#written = text;
    this.#settled = this.#perform(before, settlement, outcome, this.#closed);
    return this.#settled;
  }

  async #confirm(before: Promise<Settled>): Promise<Settled> {
    const settled = await before;
    if (this.#closed) this.#execution.confirm();
    return settled;
  }

  async #perform(
    before: Promise<Settled> | undefined,
    settlement: Settlement,
    outcome: Outcome,
    final: boolean,
  ): Promise<Settled> {
    const earlier = await before;
    if (earlier !== undefined && earlier.kind !== 'done') return earlier;
    if (!this.#timedOut) {
      // `complete` that was not waited for is no less a completion.
      if (this.#failure !== undefined) await this.#execution.completionsEnd();
      return this.#execution.settle(this.#isOver() ? 'hold' : settlement, outcome, final);
    }
    // The handler may still be running: this outcome is Middy's, not the handler's.
    this.#execution.hold('timeout');
    return { kind: 'done' };
  }

  #decide(outcome: Outcome): Settlement {
    if (this.#timedOut) this.#settlement = 'hold';
    const answer: Outcome = this.#hasAnswered ? { kind: 'returned', value: this.#answer } : outcome;
    this.#settlement ??= this.#judge(this.#failure ?? answer);
    return this.#settlement;
  }

  #judge(outcome: Outcome): Settlement {
    if (this.#isOver()) return 'hold';
    // Another guard behind this one has refused the request: the handler has not run.
    if (isRefusal(this.#request, outcome.kind === 'returned' ? outcome.value : outcome.error)) return 'release';
    return this.#execution.policyFor(outcome);
  }

  /** The handler has stored its response itself. No failure after that, and nothing that is made of one, takes its place. */
  #isOver(): boolean {
    return this.#execution.isCompleted() && this.#failure !== undefined;
  }

  async #answerOf(settled: Settled, response: unknown): Promise<unknown> {
    if (settled.kind === 'done') return response;
    if (settled.kind === 'leaseLost') return this.#refuse(leaseLostError());
    if (settled.outcome.kind === 'threw') return this.#refuse(settled.outcome.error);
    return settled.outcome.value;
  }
}
