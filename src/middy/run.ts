import type { Execution } from '../core/execution/execution.ts';
import type { Settled } from '../core/execution/held-record.ts';
import type { Settlement } from '../core/options.ts';
import { leaseLostError } from '../core/record/failures.ts';
import { type EncodedOutcome, type Outcome, sameStored } from '../core/record/outcome.ts';
import { type MiddyRequest, type RequestListener, resultOf, stateOf } from './request.ts';
import { isThenable, type Thenable } from './thenable.ts';
import type { TimeoutWatch } from './timeout.ts';

/** What the handler answered, before any hook changed it. */
interface Answer {
  readonly value: unknown;
  /** The answer was a thenable, and it has failed. */
  readonly isRejected?: boolean;
}

/** The last write of this run. */
interface Write {
  /** The outcome that it stores; `undefined` where it releases or holds. */
  readonly stored: EncodedOutcome | undefined;
  readonly settled: Promise<Settled>;
}

/** An outcome that is being settled. */
interface Settling {
  /** The outcome as the caller gets it. */
  readonly outcome: Outcome;
  readonly settled: Promise<Settled>;
}

/** One guarded invocation, from its won claim until its outcome is settled. */
export class MiddyRun implements RequestListener {
  readonly #request: MiddyRequest;
  readonly #execution: Execution;
  readonly #timeout: TimeoutWatch;
  readonly #reject: (error: unknown) => unknown;
  #answer: Answer | undefined;
  /** Once something has failed, the policy judges this: the handler's answer if there was one, else the error. */
  #failure: Outcome | undefined;
  /** Decided once: when the handler has answered, or at the first reason to settle. A timeout overrules it. */
  #settlement: Settlement | 'time out' | undefined;
  #write: Write | undefined;
  /** What the caller gets is certain, and is being settled. */
  #isClosed = false;

  /** @param reject what the caller gets when another execution has the request: a response, or the error thrown */
  constructor(request: MiddyRequest, execution: Execution, timeout: TimeoutWatch, reject: (error: unknown) => unknown) {
    this.#request = request;
    this.#execution = execution;
    this.#timeout = timeout;
    this.#reject = reject;
  }

  answered(response: unknown): void {
    this.#answer = { value: response };
    if (this.#timeout.isTimeout()) this.#settlement = 'time out';
    // Later hooks may change the response in place, and the policy judges what the handler did. `undefined` may be
    // Middy's reset at the start of its error path.
    if (response !== undefined && !isThenable(response)) this.#decide({ kind: 'returned', value: response });
  }

  failed(error: unknown, answered: boolean): void {
    if (this.#isClosed) return;
    // A hook in front of the handler may have written the response that counts as the answer. Middy's own error is certain.
    const isTimeout = answered ? this.#timeout.isMiddyError(error) : this.#timeout.isTimeout(error);
    if (isTimeout) this.#settlement = 'time out';
    const answer = answered && !isTimeout ? this.#answer : undefined;
    const isDone = answer !== undefined && answer.isRejected !== true;
    this.#failure = isDone ? { kind: 'returned', value: answer.value } : { kind: 'threw', error };
    // A hook threw before the handler's thenable was awaited: its work may be under way, or may never begin.
    if (isDone && isThenable(answer.value)) this.#settlement ??= 'hold';
    // The work is done. If a hook of the error path throws, Middy skips our own hook: the write begins before they run.
    if (isDone) this.#begin({ kind: 'threw', error });
  }

  failedAgain(error: unknown, ended: boolean): void {
    if (this.#isClosed) return;
    if (ended) void this.#settle({ kind: 'threw', error });
    else this.#begin({ kind: 'threw', error });
  }

  /** Resolves with what the caller gets. */
  async endedEarly(early: unknown): Promise<unknown> {
    const response = isThenable(early) ? await this.#resultOf(early) : early;
    // On the error path, Middy throws the error when there is no response.
    if (this.#failure !== undefined && response === undefined) {
      const { error } = this.#request;
      await this.#close({ kind: 'threw', error }).settled;
      throw error;
    }
    return this.#closeWith(response);
  }

  /** The last hook after the handler. */
  async after(): Promise<void> {
    // Middy awaits promises only. It would begin, or end, the work of a thenable after everything is settled.
    if (isThenable(this.#request.response)) this.#request.response = await this.#resultOf(this.#request.response);
    this.#request.response = await this.#closeWith(this.#request.response);
  }

  /** The last hook of the error path. The caller gets the error, or the response that a hook made of it. */
  async onError(): Promise<void> {
    if (this.#isClosed) return;
    const { response, error } = this.#request;
    if (response === undefined) await this.#close({ kind: 'threw', error }).settled;
    else this.#request.response = await this.#closeWith(response);
  }

  async #closeWith(response: unknown): Promise<unknown> {
    const { outcome, settled } = this.#close({ kind: 'returned', value: response });
    const { kind, ...rest } = await settled;
    const value = outcome.kind === 'returned' ? outcome.value : response;
    // What a hook of the error path made of the error is the answer of this request, whatever another execution did.
    if (kind === 'done' || this.#failure !== undefined) return value;
    if (!('outcome' in rest)) return this.#reject(leaseLostError());
    return rest.outcome.kind === 'threw' ? this.#reject(rest.outcome.error) : rest.outcome.value;
  }

  async #resultOf(work: Thenable): Promise<unknown> {
    const isAnswer = work === this.#answer?.value;
    try {
      const value = await resultOf(this.#request, work);
      if (isAnswer) this.#answer = { value };
      return value;
    } catch (error) {
      if (isAnswer) this.#answer = { value: work, isRejected: true };
      throw error;
    }
  }

  /** Stores what is certain already. It does not release: the hooks that follow belong to this execution. */
  #begin(outcome: Outcome): void {
    if (this.#decide(outcome) === 'store') void this.#settle(outcome);
  }

  #close(outcome: Outcome): Settling {
    this.#isClosed = true;
    return this.#settle(outcome);
  }

  /** Settles, or replaces the stored outcome where the caller is going to see another one. The latest outcome wins. */
  #settle(outcome: Outcome): Settling {
    const before = this.#write;
    const settlement = this.#decide(outcome);
    if (settlement !== 'store') {
      this.#write ??= { stored: undefined, settled: this.#end(settlement) };
      return { outcome, settled: this.#write.settled };
    }
    const encoded = this.#execution.format.encode(outcome);
    const { stored } = encoded;
    const isWritten = before?.stored !== undefined && sameStored(before.stored, stored);
    const isFinal = this.#isClosed;
    const write =
      isWritten && !isFinal
        ? before
        : { stored, settled: this.#after(before, () => this.#execution.store(encoded, isFinal)) };
    this.#write = write;
    return { outcome: encoded.outcome, settled: write.settled };
  }

  #end(settlement: Exclude<Settlement, 'store'> | 'time out'): Promise<Settled> {
    if (settlement !== 'time out') return this.#after(undefined, () => this.#execution[settlement]());
    // The handler may still be running: this outcome is Middy's, not the handler's.
    this.#execution.timeOut();
    return Promise.resolve({ kind: 'done' });
  }

  async #after(before: Write | undefined, perform: () => Promise<Settled>): Promise<Settled> {
    const earlier = await before?.settled;
    if (earlier !== undefined && earlier.kind !== 'done') return earlier;
    // A `complete` that the handler did not await is a completion, too.
    if (this.#failure !== undefined) await this.#execution.completionsEnd();
    return this.#hasCompleted() ? this.#execution.hold() : perform();
  }

  #decide(outcome: Outcome): Settlement | 'time out' {
    const answer: Outcome = this.#answer === undefined ? outcome : { kind: 'returned', value: this.#answer.value };
    this.#settlement ??= this.#judge(this.#failure ?? answer);
    return this.#settlement;
  }

  #judge(outcome: Outcome): Settlement {
    if (this.#hasCompleted()) return 'hold';
    const state = stateOf(this.#request);
    const ending = outcome.kind === 'returned' ? outcome.value : outcome.error;
    // Another guard behind this one has rejected the request: the handler has not run.
    if ('rejection' in state && state.rejection === ending) return 'release';
    return this.#execution.settlementOf(outcome);
  }

  /** The handler has stored its response itself, and then something failed. The failure does not replace the response. */
  #hasCompleted(): boolean {
    return this.#execution.isCompleted() && this.#failure !== undefined;
  }
}
