import type { IdempotencyRecord } from '../../src/core/record.ts';
import type { ConditionalResult, Expected, InsertResult, RecordStore } from '../../src/core/store.ts';
import { IdempotencyError } from '../../src/errors.ts';
import type { CallRun } from './call.ts';
import { seen, Table } from './table.ts';
import type { World } from './world.ts';

type Answer = InsertResult | ConditionalResult | IdempotencyRecord | undefined;

/** What the guard has asked its store, until it has an answer. The SDK may send it more than once. */
interface Request {
  /** The first of its call is 1. */
  readonly number: number;
  readonly call: CallRun;
  readonly verb: string;
  readonly key: string;
  apply(): { readonly answer: Answer; readonly wrote: boolean };
  settle(answer: Answer): void;
  fail(error: unknown): void;
  sent: number;
  isSettled: boolean;
  isLate: boolean;
}

/** One of the times that a request was sent: on its way to the table, or its answer on the way back. */
export interface Copy {
  readonly request: Request;
  readonly number: number;
  answer?: { readonly value: Answer };
}

/** The table, and what is on the way to it and back. Nothing moves by itself. */
export class Network {
  readonly table = new Table();
  readonly copies: Copy[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** The store that every guard has. */
  readonly store: RecordStore = {
    insert: (record) => this.#ask('insert', record.id, () => this.table.insert(record)),
    replace: (record, expected) => this.#replace(record, expected),
    remove: (id, expected) => this.#ask('remove', id, () => this.table.remove(id, expected)),
    read: (id) => this.#ask('read', id, () => ({ answer: this.table.get(id), wrote: false })),
  };

  #replace(record: IdempotencyRecord, expected: Expected): Promise<ConditionalResult> {
    return this.#ask(`replace by ${record.status}`, record.id, () => this.table.replace(record, expected));
  }

  #ask<T extends Answer>(verb: string, key: string, apply: () => { answer: T; wrote: boolean }): Promise<T> {
    const call = this.#world.currentCall();
    return new Promise<T>((resolve, reject) => {
      const request: Request = {
        number: ++call.requests,
        call,
        verb,
        key,
        apply,
        settle: resolve as (answer: Answer) => void,
        fail: reject,
        sent: 0,
        isSettled: false,
        isLate: false,
      };
      this.#send(request);
    });
  }

  #send(request: Request): void {
    request.sent++;
    this.copies.push({ request, number: request.sent });
  }

  /** The table takes the request, and its answer begins its way back. */
  arrive(copy: Copy): void {
    const { request } = copy;
    const { key, call } = request;
    const before = this.table.get(key);
    const { answer, wrote } = request.apply();
    copy.answer = { value: answer };
    const common = { at: this.#world.time, call: call.plan.id, key: call.plan.key };
    if (wrote) {
      const stray = copy.number < request.sent || request.isSettled;
      this.#world.record({ type: 'wrote', ...common, before: seen(before), after: seen(this.table.get(key)), stray });
    } else if (request.verb !== 'read') {
      this.#world.record({ type: 'conflicted', ...common, found: seen(before) });
    }
  }

  deliver(copy: Copy): void {
    this.drop(copy);
    const { request, answer } = copy;
    if (request.isSettled || answer === undefined || !request.call.process.isAlive) return;
    // Nobody listens for the answer to a copy that was given up.
    if (copy.number < request.sent) return;
    request.isSettled = true;
    request.settle(answer.value);
  }

  /** The SDK sees that it failed, and sends it once more, or gives up. */
  breakOff(copy: Copy, { stays = false } = {}): void {
    const { request } = copy;
    if (!stays) this.drop(copy);
    // Only the newest copy is waited for.
    if (request.isSettled || copy.number < request.sent || !request.call.process.isAlive) return;
    if (request.sent < this.#world.plan.sdkTries) this.#send(request);
    else this.#fail(request, true);
  }

  refuse(copy: Copy): void {
    this.drop(copy);
    if (!copy.request.isSettled && copy.request.call.process.isAlive) this.#fail(copy.request, false);
  }

  /** Nothing more is heard of it. */
  hang(copy: Copy): void {
    this.drop(copy);
    this.#failed(copy.request, true);
  }

  /** The guard's own patience ended while these were on their way. */
  late(call: CallRun): void {
    for (const { request } of this.copies) {
      if (request.call !== call || request.isSettled || request.isLate) continue;
      request.isLate = true;
      this.#failed(request, true);
    }
  }

  #fail(request: Request, retryable: boolean): void {
    request.isSettled = true;
    this.#failed(request, retryable);
    request.fail(new IdempotencyError('STORE_UNAVAILABLE', 'simulated', { retryable }));
  }

  #failed(request: Request, retryable: boolean): void {
    this.#world.record({ type: 'failed', at: this.#world.time, call: request.call.plan.id, retryable });
  }

  drop(copy: Copy): void {
    const index = this.copies.indexOf(copy);
    if (index >= 0) this.copies.splice(index, 1);
  }
}
