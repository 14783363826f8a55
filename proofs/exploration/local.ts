import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { CompletedRecord } from '../../src/core/record/record.ts';
import type { RecordStore } from '../../src/core/record/store.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { IdempotencyError } from '../../src/errors.ts';
import type { TransactionPlan } from '../../src/transaction.ts';
import type { HistoryEvent } from '../lib/history.ts';
import { WatchedHandle } from '../lib/watched-handle.ts';
import type { Who } from './automaton.ts';
import { type Configuration, type End, type PlanEnd, SETTLEMENTS } from './configuration.ts';
import { type Guarded, guarded } from './guarded.ts';
import {
  type Asked,
  type Happened,
  type Item,
  nameOf,
  refusalOf,
  type Stimulus,
  type Turn,
  type View,
} from './stimulus.ts';

interface Promised {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A condition of the caller's own writes has failed. */
export class ItemsRefused extends Error {}

/** One execution of the real code, alone: whoever drives it plays the table, the network, the clock and the handler. */
export class LocalRun implements Guarded {
  readonly id: string;
  readonly offset: number;
  readonly configuration: Configuration;
  readonly payload: string;
  readonly isTransaction: boolean;
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
  readonly #turns = new Map<string, Turn & { take(): void }>();
  /** While its handler is running. */
  #handle: WatchedHandle<unknown> | undefined;

  constructor(configuration: Configuration, who: Who) {
    this.configuration = configuration;
    this.id = who.id;
    this.offset = who.offset;
    this.payload = who.payload;
    this.isTransaction = who.isTransaction;
    this.#isProbe = who.isProbe;
  }

  readonly store: RecordStore<Item> = {
    insert: (record) => this.#ask({ verb: 'insert', record }),
    replace: (record, expected) => this.#ask({ verb: 'replace', record, expected }),
    remove: (id, expected) => this.#ask({ verb: 'remove', id, expected }),
    transact: (record, expected, items) =>
      this.#ask({ verb: 'transact', record: record as CompletedRecord, expected, items }),
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
    this.#handle?.look();
    return {
      events: this.#events,
      requests: new Map([...this.#requests].map(([number, { asked }]) => [number, asked])),
      timers: new Map([...this.#timers].map(([number, { due }]) => [number, due])),
      turns: [...this.#turns.values()].map(({ who, does }) => ({ who, does })),
    };
  }

  #react(stimulus: Stimulus): void {
    if (stimulus.kind === 'call') this.#begin();
    else if (stimulus.kind === 'timer') this.#timers.get(stimulus.timer)?.fire();
    else if (stimulus.kind === 'turn') this.#turns.get(stimulus.turn)?.take();
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
    const more = {
      ...(this.#isProbe && { probe: true }),
      ...(this.isTransaction && { transaction: true }),
      ...(waitMillis > 0 && { waitMillis }),
    };
    this.#record({ type: 'called', key: 'A', payload: this.payload, offset: this.offset, leaseMillis, ...more });
    guarded(this).then(
      (value) => this.#record({ type: 'answered', answer: { kind: 'returned', text: String(value) } }),
      (error: Error) => {
        const text = error instanceof ItemsRefused ? refusalOf(this.id) : error.message;
        const answer =
          error instanceof IdempotencyError
            ? ({ kind: 'refused', code: error.code } as const)
            : ({ kind: 'threw', text } as const);
        this.#record({ type: 'answered', answer });
      },
    );
  }

  /** The user's code goes on in one of these ways, or in the first alone when all is well again. */
  #turn(who: string, ...ways: readonly string[]): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    for (const does of this.#isProbe ? ways.slice(0, 1) : ways) {
      const take = () => {
        for (const way of ways) this.#turns.delete(nameOf({ who, does: way }));
        resolve(does);
      };
      this.#turns.set(nameOf({ who, does }), { who, does, take });
    }
    return promise;
  }

  /** The handler. */
  async work(handle: IdempotencyHandle): Promise<unknown> {
    const { ends, extensions, step } = this.configuration;
    const watched = new WatchedHandle(handle, (event) => this.#record(event));
    this.#handle = watched;
    let possible = ends;
    if (step) {
      await this.#turn('the handler', 'goes on');
      await watched
        .step('a', () => this.#step())
        .catch(() => {
          possible = ['throw'];
        });
    }
    for (const extension of extensions) {
      const chosen = await this.#turn('the handler', ...possible.map(endsBy), EXTENDS);
      if (chosen !== EXTENDS) return this.#finish(chosen);
      // It goes on all the same: the worst that a user can do.
      await watched.extend(extension).catch(() => undefined);
    }
    return this.#finish(await this.#turn('the handler', ...possible.map(endsBy)));
  }

  async #step(): Promise<string> {
    const chosen = await this.#turn('step a', endsBy('return'), endsBy('throw'));
    if (chosen === endsBy('throw')) throw new Error(`error of ${this.id}`);
    return `a by ${this.id}`;
  }

  #finish(chosen: string): string {
    this.#handle = undefined;
    this.end = this.configuration.ends.find((end) => endsBy(end) === chosen) ?? 'throw';
    const isThrown = this.end === 'throw';
    const isAmended = this.configuration.entry === 'middy' && !isThrown;
    const text = isAmended ? `hook's answer of ${this.id}` : `${isThrown ? 'error' : 'result'} of ${this.id}`;
    const outcome = { kind: isThrown ? 'threw' : 'returned', text } as const;
    this.#record({ type: 'ended', outcome, settlement: SETTLEMENTS[this.end] });
    if (isThrown) throw new Error(text);
    return `result of ${this.id}`;
  }

  async plan(): Promise<TransactionPlan<Item, string>> {
    const chosen = await this.#turn('the plan', ...this.configuration.plans.map(endsBy));
    if (chosen === endsBy('throw')) {
      const text = `error of ${this.id}`;
      this.#record({ type: 'planFailed', text });
      throw new Error(text);
    }
    const response = `planned by ${this.id}`;
    this.#record({ type: 'finishing', by: 'transact', text: response });
    return { items: [{ isRefused: chosen === endsBy('refuse') }], response };
  }

  report(report: string): void {
    this.#record({ type: 'reported', report });
  }

  #record(event: Happened): void {
    this.#events.push({ ...event, at: this.time, call: this.id } as HistoryEvent);
  }
}

const EXTENDS = 'extends its lease';
const endsBy = (end: End | PlanEnd) => `ends: ${end}`;

/** When nothing is left that could go on by itself: Node takes its next turn only when no promise has a reaction left. */
function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
