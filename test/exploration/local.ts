import type { IdempotencyHandle } from '../../src/core/handle.ts';
import type { IdempotencyRecord } from '../../src/core/record.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import type { Expected, RecordStore } from '../../src/core/store.ts';
import { IdempotencyError } from '../../src/errors.ts';
import type { HistoryEvent } from '../support/history.ts';
import type { Configuration, End } from './configuration.ts';
import { guarded } from './guarded.ts';

/** What a store is asked, as data. */
export type Asked =
  | { readonly verb: 'insert'; readonly record: IdempotencyRecord }
  | { readonly verb: 'replace'; readonly record: IdempotencyRecord; readonly expected: Expected }
  | { readonly verb: 'remove'; readonly id: string; readonly expected: Expected }
  | { readonly verb: 'read'; readonly id: string };

/** All that an execution can learn of the world: what it does is a function of these, and of when they come. */
export type Stimulus =
  | { readonly kind: 'call' }
  | { readonly kind: 'answer'; readonly request: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly request: number; readonly retryable: boolean }
  | { readonly kind: 'timer'; readonly timer: number }
  | { readonly kind: 'extend' }
  | { readonly kind: 'end'; readonly end: End };

/** What the world sees of an execution after a stimulus. */
export interface View {
  /** What it has done at once. */
  readonly events: readonly HistoryEvent[];
  readonly requests: ReadonlyMap<number, Asked>;
  /** When they are due, true time. */
  readonly timers: ReadonlyMap<number, number>;
  readonly isRunning: boolean;
  /** How many extensions its handler may still ask for. */
  readonly extensions: number;
}

type Details<T> = T extends { readonly call: string } ? Omit<T, 'at' | 'call'> : never;
/** What happens to a call, without its name and the time. */
export type Happened = Details<HistoryEvent>;

interface Promised {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One execution of the real code, alone: whoever drives it plays the table, the network, the clock and the handler. */
export class LocalRun {
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
    switch (stimulus.kind) {
      case 'call':
        return this.#begin();
      case 'timer':
        return this.#timers.get(stimulus.timer)?.fire();
      case 'extend':
        return void this.#extend();
      case 'end':
        return this.#finish(stimulus.end);
      case 'answer':
      case 'failure': {
        const request = this.#requests.get(stimulus.request);
        this.#requests.delete(stimulus.request);
        if (stimulus.kind === 'answer') request?.resolve(stimulus.value);
        else request?.reject(new IdempotencyError('STORE_UNAVAILABLE', 'lost', { retryable: stimulus.retryable }));
      }
    }
  }

  #begin(): void {
    const { leaseMillis } = this.configuration;
    const probe = this.#isProbe && { probe: true };
    this.record({ type: 'called', key: 'A', payload: this.payload, offset: this.offset, leaseMillis, ...probe });
    guarded(this).then(
      (value) => this.record({ type: 'answered', answer: { kind: 'returned', text: String(value) } }),
      (error: { code?: string; name: string; message: string }) => {
        const isRefusal = error.name === 'IdempotencyError';
        const answer = isRefusal
          ? ({ kind: 'refused', code: String(error.code) } as const)
          : ({ kind: 'threw', text: error.message } as const);
        this.record({ type: 'answered', answer });
      },
    );
  }

  /** The handler. */
  work(handle: IdempotencyHandle): Promise<unknown> {
    this.record({ type: 'started', attempt: handle.attempt, leaseUntil: handle.leaseUntil });
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
      this.record({ type: 'extended', leaseUntil: work.handle.leaseUntil });
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
    this.record({ type: 'ended', outcome, settlement: SETTLEMENTS[end] });
    if (isThrown) work?.reject(new Error(text));
    else work?.resolve(`result of ${this.id}`);
  }

  record(event: Happened): void {
    this.#events.push({ ...event, at: this.time, call: this.id } as HistoryEvent);
  }
}

export const SETTLEMENTS = { return: 'store', throw: 'release', hold: 'hold' } as const;

/** When nothing is left that could go on by itself: Node takes its next turn only when no promise has a reaction left. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
