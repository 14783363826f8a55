import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { RecordStore } from '../../src/core/record/store.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { IdempotencyError } from '../../src/errors.ts';
import type { HistoryEvent } from '../lib/history.ts';
import { type Configuration, type End, SETTLEMENTS } from './configuration.ts';
import { type Guarded, guarded } from './guarded.ts';
import type { Asked, Happened, Stimulus, View } from './stimulus.ts';

interface Promised {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One execution of the real code, alone: whoever drives it plays the table, the network, the clock and the handler. */
export class LocalRun implements Guarded {
  readonly id: string;
  readonly offset: number;
  readonly configuration: Configuration;
  readonly payload: string;
  time = 0;
  /** How its handler has ended. */
  end: End = 'return';
  #events: HistoryEvent[] = [];
  readonly #isProbe: boolean;
  readonly #requests = new Map<number, { asked: Asked } & Promised>();
  readonly #timers = new Map<number, { due: number; fire(): void }>();
  #lastRequest = 0;
  #lastTimer = 0;
  #lastToken = 0;
  #work: (Promised & { readonly handle: IdempotencyHandle; extended: number; isBusy: boolean }) | undefined;

  constructor(configuration: Configuration, who: { id: string; offset: number; payload: string; isProbe: boolean }) {
    this.configuration = configuration;
    this.id = who.id;
    this.offset = who.offset;
    this.payload = who.payload;
    this.#isProbe = who.isProbe;
  }

  readonly store: RecordStore = {
    insert: (record) => this.#ask({ verb: 'insert', record }),
    replace: (record, expected) => this.#ask({ verb: 'replace', record, expected }),
    remove: (id, expected) => this.#ask({ verb: 'remove', id, expected }),
    read: (id) => this.#ask({ verb: 'read', id }),
  };

  readonly runtime: Runtime = {
    now: () => this.time + this.offset,
    monotonic: () => this.time,
    randomToken: () => `${this.id}#${++this.#lastToken}`,
    random: () => 0.5,
    delay: (millis) => {
      const number = ++this.#lastTimer;
      const { promise, resolve } = Promise.withResolvers<void>();
      const fire = () => {
        this.#timers.delete(number);
        resolve();
      };
      this.#timers.set(number, { due: this.time + millis, fire });
      return { elapsed: promise, cancel: fire };
    },
  };

  #ask<T>(asked: Asked): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#requests.set(++this.#lastRequest, { asked, resolve: resolve as Promised['resolve'], reject });
    return promise;
  }

  /** Lets it go on until nothing in it can go on by itself. */
  async take(stimulus: Stimulus, time: number): Promise<View> {
    this.time = time;
    this.#events = [];
    this.#react(stimulus);
    await quiet();
    return {
      events: this.#events,
      requests: new Map([...this.#requests].map(([number, { asked }]) => [number, asked])),
      timers: new Map([...this.#timers].map(([number, { due }]) => [number, due])),
      isRunning: this.#work !== undefined && !this.#work.isBusy,
      extensions: this.configuration.extensions.length - (this.#work?.extended ?? 0),
    };
  }

  #react(stimulus: Stimulus): void {
    if (stimulus.kind === 'call') this.#begin();
    else if (stimulus.kind === 'timer') this.#timers.get(stimulus.timer)?.fire();
    else if (stimulus.kind === 'extend') void this.#extend();
    else if (stimulus.kind === 'end') this.#finish(stimulus.end);
    else {
      const request = this.#requests.get(stimulus.request);
      this.#requests.delete(stimulus.request);
      if (stimulus.kind === 'answer') request?.resolve(stimulus.value);
      else request?.reject(new IdempotencyError('STORE_UNAVAILABLE', 'lost', { retryable: stimulus.retryable }));
    }
  }

  #begin(): void {
    const { waitMillis } = this.configuration;
    // Who waits has so much longer until an answer must have come.
    const leaseMillis = this.configuration.leaseMillis + waitMillis;
    const more = { ...(this.#isProbe && { probe: true }), ...(waitMillis > 0 && { waitMillis }) };
    this.#record({ type: 'called', key: 'A', payload: this.payload, offset: this.offset, leaseMillis, ...more });
    guarded(this).then(
      (value) => this.#record({ type: 'answered', answer: { kind: 'returned', text: String(value) } }),
      (error: Error) => {
        const answer =
          error instanceof IdempotencyError
            ? ({ kind: 'refused', code: error.code } as const)
            : ({ kind: 'threw', text: error.message } as const);
        this.#record({ type: 'answered', answer });
      },
    );
  }

  /** The handler. */
  work(handle: IdempotencyHandle): Promise<unknown> {
    this.#record({ type: 'started', attempt: handle.attempt, leaseUntil: handle.leaseUntil });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#work = { handle, resolve, reject, extended: 0, isBusy: false };
    return promise;
  }

  async #extend(): Promise<void> {
    const work = this.#work;
    if (work === undefined) return;
    work.isBusy = true;
    try {
      await work.handle.extend(this.configuration.extensions[work.extended++] ?? 0);
      this.#record({ type: 'extended', leaseUntil: work.handle.leaseUntil });
    } catch {
      // It goes on all the same: the worst that a user can do.
    }
    work.isBusy = false;
  }

  #finish(end: End): void {
    const work = this.#work;
    this.#work = undefined;
    this.end = end;
    const isThrown = end === 'throw';
    const isAmended = this.configuration.entry === 'middy' && !isThrown;
    const text = isAmended ? `hook's answer of ${this.id}` : `${isThrown ? 'error' : 'result'} of ${this.id}`;
    const outcome = { kind: isThrown ? 'threw' : 'returned', text } as const;
    this.#record({ type: 'ended', outcome, settlement: SETTLEMENTS[end] });
    if (isThrown) work?.reject(new Error(text));
    else work?.resolve(`result of ${this.id}`);
  }

  report(report: string): void {
    this.#record({ type: 'reported', report });
  }

  #record(event: Happened): void {
    this.#events.push({ ...event, at: this.time, call: this.id } as HistoryEvent);
  }
}

/** When nothing is left that could go on by itself: Node takes its next turn only when no promise has a reaction left. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
