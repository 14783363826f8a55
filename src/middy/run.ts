import { type Execution, leaseLostError, type Settled } from '../core/execution.ts';
import type { Settlement } from '../core/options.ts';
import type { Outcome } from '../core/outcome.ts';
import type { MiddyRequest, RequestListener } from './request.ts';

/** One guarded invocation, from its won claim until its outcome is settled. */
export class MiddyRun implements RequestListener {
  readonly #request: MiddyRequest;
  readonly #execution: Execution;
  readonly #isTimeout: (error?: unknown) => boolean;
  /** The handler's own answer, before any hook has changed it. */
  #answer: unknown;
  /** What the policy judges once something has failed: the handler's answer if there was one, else the error. */
  #failure: Outcome | undefined;
  #timedOut = false;
  #settlement: Settlement | undefined;
  #settled: Promise<Settled> | undefined;
  #stored: unknown;
  #closed = false;

  constructor(request: MiddyRequest, execution: Execution, isTimeout: (error?: unknown) => boolean) {
    this.#request = request;
    this.#execution = execution;
    this.#isTimeout = isTimeout;
  }

  answered(response: unknown): void {
    this.#answer = response;
    this.#timedOut = this.#isTimeout();
  }

  failed(error: unknown, answered: boolean): void {
    if (this.#closed) return;
    if (!answered) this.#timedOut = this.#timedOut || this.#isTimeout(error);
    this.#failure = answered ? { kind: 'returned', value: this.#answer } : { kind: 'threw', error };
    // The work is done. A hook of the error path that throws would keep us from storing that: begin before they run.
    if (answered) void this.#settle({ kind: 'threw', error });
  }

  failedAgain(error: unknown): void {
    if (!this.#closed) void this.#settle({ kind: 'threw', error });
  }

  /** Resolves with what the caller gets. */
  async endedEarly(response: unknown): Promise<unknown> {
    // On the error path, Middy throws the error when there is no response.
    const failed = this.#failure !== undefined && response === undefined;
    const outcome: Outcome = failed
      ? { kind: 'threw', error: this.#request.error }
      : { kind: 'returned', value: response };
    const settled = await this.#close(outcome);
    if (failed) throw this.#request.error;
    return this.#failure === undefined ? answerOf(settled, response) : response;
  }

  /** The last hook after the handler. */
  async after(): Promise<void> {
    const { response } = this.#request;
    const settled = await this.#close({ kind: 'returned', value: response });
    if (settled.kind !== 'done') this.#request.response = answerOf(settled, response);
  }

  /** The last hook of the error path: what the caller sees is the error, or the response that was made of it. */
  async onError(): Promise<void> {
    if (this.#closed) return;
    const { response, error } = this.#request;
    await this.#close(response === undefined ? { kind: 'threw', error } : { kind: 'returned', value: response });
  }

  #close(outcome: Outcome): Promise<Settled> {
    this.#closed = true;
    return this.#settle(outcome);
  }

  /** Settles, or amends the stored outcome where the caller is going to see another one. */
  #settle(outcome: Outcome): Promise<Settled> {
    const seen = outcome.kind === 'returned' ? outcome.value : outcome.error;
    const before = this.#settled;
    if (before !== undefined && (this.#settlement !== 'store' || seen === this.#stored)) return before;
    this.#stored = seen;
    this.#settled = (async () => {
      const earlier = await before;
      return earlier !== undefined && earlier.kind !== 'done' ? earlier : this.#perform(outcome);
    })();
    return this.#settled;
  }

  async #perform(outcome: Outcome): Promise<Settled> {
    if (this.#timedOut) {
      // The handler may still be running: this response is Middy's, not the outcome.
      if (this.#settlement === undefined) this.#execution.hold();
      this.#settlement = 'hold';
      return { kind: 'done' };
    }
    this.#settlement ??= this.#execution.policyFor(this.#failure ?? outcome);
    return this.#execution.settle(this.#settlement, outcome);
  }
}

function answerOf(settled: Settled, response: unknown): unknown {
  switch (settled.kind) {
    case 'done':
      return response;
    case 'superseded':
      if (settled.outcome.kind === 'threw') throw settled.outcome.error;
      return settled.outcome.value;
    case 'leaseLost':
      throw leaseLostError();
  }
}
