import type { CompletedRecord, IdempotencyRecord } from '../../src/core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../../src/core/record/store.ts';
import { IdempotencyError } from '../../src/errors.ts';
import type { CallRun } from './call.ts';
import { type Applied, type Rows, seen, Table } from './table.ts';
import { Tokens } from './tokens.ts';
import type { World } from './world.ts';

/** All is refused; nothing is answered. */
export const TROUBLES = ['expired credentials', 'outage'] as const;
type Trouble = (typeof TROUBLES)[number];

/** What a guard asks of its store, or the store of DynamoDB. */
export interface Question<T> {
  readonly verb: string;
  /** The id of what it is about: a record's, or a part's. */
  readonly id: string;
  apply(): Applied<T>;
  /** What its sender gets when it fails. `sent`: how often it was sent, as the SDK says. */
  failure(why: Failure, sent: number): Error;
  /** What its sender gets when other transactions are in the way. @default its client sends it again */
  busy?(): Error;
}

/** It may be tried again; it is refused for good; its record is larger than a record may be. */
export type Failure = 'no answer' | 'refused' | 'record refused';

/** A question, until it has an answer. The SDK may send it more than once. */
interface Request {
  /** The first of its call is 1. */
  readonly number: number;
  readonly call: CallRun;
  readonly verb: string;
  readonly question: Question<unknown>;
  settle(answer: unknown): void;
  fail(error: unknown): void;
  sent: number;
  isSettled: boolean;
  isLate: boolean;
}

/** One of the times that a request was sent: on its way to the table, or its answer on the way back. */
export interface Copy {
  readonly request: Request;
  readonly number: number;
  answer?: { readonly value: unknown } | { readonly failure: Failure };
  /** Whether the database has it, and does it later. */
  waits?: boolean;
}

/** The table, and what is on the way to it and back. Nothing moves by itself. */
export class Network {
  readonly table: Table;
  readonly copies: Copy[] = [];
  /** What all that a host sends meets. */
  readonly troubles = new Map<number, Trouble>();
  /** The key of whoever has written to an id. */
  readonly keys = new Map<string, string>();
  readonly #world: World;
  readonly #records: Rows = {
    ids: () => this.table.ids(),
    seen: (id) => seen(this.table.get(id)),
    expiration: (id) => this.table.get(id)?.expiration ?? 0,
    delete: (id) => this.table.delete(id),
  };

  constructor(world: World) {
    this.#world = world;
    this.table = new Table(
      new Tokens(world.plan.remembersTokens === true ? () => world.time : undefined),
      world.plan.roomBytes,
    );
  }

  /** The store that every guard has, where the table is one of records. */
  readonly store: RecordStore<object> = {
    insert: (record) => this.#ask('insert', record.id, () => this.table.insert(record)),
    replace: (record, expected) => this.#replace(record, expected),
    remove: (id, expected) => this.#ask('remove', id, () => this.table.remove(id, expected)),
    read: (id) => this.#ask('read', id, () => ({ answer: this.table.get(id), wrote: false })),
    transact: (record, expected, items, token) =>
      this.#ask('transact', record?.id ?? '', () =>
        this.table.transact(record as CompletedRecord, expected, items, token),
      ),
  };

  /** What the guards of the schedule write to. */
  get rows(): Rows {
    return this.#world.server ?? this.#records;
  }

  #replace(record: IdempotencyRecord, expected: Expected): Promise<WriteResult> {
    return this.#ask(`replace by ${record.status}`, record.id, () => this.table.replace(record, expected));
  }

  #ask<T>(verb: string, id: string, apply: () => Applied<T>): Promise<T> {
    return this.ask({ verb, id, apply, failure: unavailable });
  }

  /** Sends it, on behalf of the call that asks. */
  ask<T>(question: Question<T>): Promise<T> {
    const call = this.#world.currentCall();
    return new Promise<T>((resolve, reject) => {
      const request: Request = {
        number: ++call.requests,
        call,
        verb: question.verb,
        question,
        settle: resolve as (answer: unknown) => void,
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
    const { call, question } = request;
    const before = this.rows.seen(question.id);
    this.keys.set(question.id, call.plan.key);
    const applied = question.apply();
    copy.waits = 'waits' in applied;
    if ('waits' in applied) return;
    if ('refused' in applied) {
      copy.answer = { failure: 'record refused' };
      this.#world.record({ type: 'full', at: this.#world.time, call: call.plan.id });
      return;
    }
    const { answer, wrote, effects = 0, itemsRefused = false, pending = false, hasLooked = false } = applied;
    copy.answer = { value: answer };
    const common = { at: this.#world.time, call: call.plan.id, key: call.plan.key };
    const after = this.rows.seen(question.id);
    const stray = copy.number < request.sent || request.isSettled;
    if (wrote) {
      // Of what is no record, only the effects count.
      if (before !== undefined || after !== undefined) {
        this.#world.record({ type: 'wrote', ...common, before, after, stray });
      }
      for (let times = 0; times < effects; times++) this.#world.record({ type: 'effect', ...common });
    } else if (request.verb === 'read' || hasLooked) {
      if (!stray) this.#world.record({ type: 'looked', ...common, found: before });
    } else if (!request.verb.includes('part')) {
      if (!pending) this.#world.record({ type: 'conflicted', ...common, found: before });
      // A call learns nothing from a copy that its client has given up.
      const isHeard = call.plan.script.transaction !== undefined && !stray;
      if (itemsRefused && isHeard) this.#world.record({ type: 'itemsRefused', ...common, text: call.refusal() });
    }
  }

  deliver(copy: Copy): void {
    this.drop(copy);
    const { request, answer } = copy;
    if (request.isSettled || answer === undefined || !request.call.process.isAlive) return;
    // Nobody listens for the answer to a copy that was given up.
    if (copy.number < request.sent) return;
    request.isSettled = true;
    if ('value' in answer) request.settle(answer.value);
    else request.fail(request.question.failure(answer.failure, request.sent));
  }

  /** The SDK sees that it failed, and sends it once more, or gives up. */
  breakOff(copy: Copy, { stays = false } = {}): void {
    const { request } = copy;
    if (!stays) this.drop(copy);
    // Only the newest copy is waited for.
    if (request.isSettled || copy.number < request.sent || !request.call.process.isAlive) return;
    if (request.sent < this.#world.plan.sdkTries) this.#send(request);
    else this.#fail(request, 'no answer');
  }

  refuse(copy: Copy): void {
    this.drop(copy);
    if (!copy.request.isSettled && copy.request.call.process.isAlive) this.#fail(copy.request, 'refused');
  }

  /** Nothing was done. */
  throttle(copy: Copy): void {
    const { request } = copy;
    const { busy } = request.question;
    if (busy === undefined) this.breakOff(copy);
    else this.drop(copy);
    if (busy === undefined || request.isSettled || !request.call.process.isAlive) return;
    request.isSettled = true;
    this.#failed(request, true);
    request.fail(busy());
  }

  troubleOf({ request }: Copy): Trouble | undefined {
    return this.troubles.get(request.call.process.host);
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

  #fail(request: Request, why: Failure): void {
    request.isSettled = true;
    this.#failed(request, why === 'no answer');
    request.fail(request.question.failure(why, request.sent));
  }

  #failed(request: Request, retryable: boolean): void {
    this.#world.record({ type: 'failed', at: this.#world.time, call: request.call.plan.id, retryable });
  }

  drop(copy: Copy): void {
    const index = this.copies.indexOf(copy);
    if (index >= 0) this.copies.splice(index, 1);
  }
}

/** Of a request that was sent before, a refusal does not say whether it was written. */
function unavailable(why: Failure, sent: number): IdempotencyError {
  const retryable = why === 'no answer' ? true : sent > 1 ? undefined : false;
  const recordRefused = why === 'record refused' || undefined;
  return new IdempotencyError('STORE_UNAVAILABLE', 'simulated', { retryable, recordRefused });
}
