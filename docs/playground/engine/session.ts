import type { History } from '../../../proofs/lib/history.ts';
import type { IdempotencyRecord } from '../../../src/core/record/record.ts';
import type { Runtime } from '../../../src/core/runtime.ts';
import { createResolving } from '../../../src/operator/resolve.ts';
import { memoryStore } from '../../../src/stores/memory.ts';
import { Bank } from './bank.ts';
import { Lane } from './lane.ts';
import { possibleIn } from './possible.ts';
import { quiet } from './quiet.ts';
import { type Action, formatAction, type Setup } from './schedule.ts';
import { BEGINNING, type Note, SKEW_MILLIS, type State } from './terms.ts';
import { seenOf, Witness } from './witness.ts';
import { duration, nounOf } from './words.ts';
import type { Payment } from './work.ts';

export interface Timer {
  /** Milliseconds since the beginning. */
  readonly due: number;
  readonly lane: Lane;
  fire(): void;
}

/** One run: the real guard and the real memory store, in a world where nothing moves by itself. */
export class Session {
  readonly setup: Setup;
  readonly lanes: readonly Lane[];
  readonly bank = new Bank();
  readonly witness = new Witness();
  readonly timers: Timer[] = [];
  readonly store = memoryStore<Payment>({ apply: (items) => this.#pay(items) });
  /** What the action that is being made has done. */
  notes: Note[] = [];
  /** Milliseconds since the beginning. */
  time = 0;
  /** The ids of all records that there have been, and their keys. */
  readonly #keys = new Map<string, string>();
  /** As they were at the last look. */
  #records: readonly IdempotencyRecord[] = [];

  /** `extraLanes`: for the requests of a test, which come when the schedule has ended. */
  constructor(setup: Setup, extraLanes = 0) {
    this.setup = setup;
    this.lanes = Array.from({ length: setup.requests + extraLanes }, (_, index) => new Lane(this, index + 1));
  }

  /** Makes an action, and waits until nothing goes on by itself. @throws Error when it is not possible now */
  async act(action: Action): Promise<State> {
    const { possible } = await this.look();
    const wanted = formatAction(action);
    if (!possible.some((one) => formatAction(one) === wanted)) throw new Error(`'${wanted}' is not possible here`);
    this.notes = [];
    await this.#make(action);
    await this.#settle();
    return this.look();
  }

  /** The world as it is now. */
  async look(): Promise<State> {
    const records = await Promise.all([...this.#keys.keys()].map((id) => this.store.read(id)));
    this.#records = records.filter((record) => record !== undefined);
    return {
      time: this.time,
      lanes: this.lanes.map((lane) => lane.view()),
      records: this.#records,
      balance: this.bank.balance,
      charges: this.bank.charges,
      notes: this.notes,
      possible: possibleIn(this),
      places: this.lanes.map(({ place }) => place),
    };
  }

  /** Until nothing goes on by itself, also of who has waited for a longer lease. */
  async #settle(): Promise<void> {
    await quiet();
    if (this.lanes.filter((lane) => lane.look()).length > 0) await quiet();
  }

  history(): History {
    return this.witness.history(this.setup);
  }

  async #make(action: Action): Promise<void> {
    if (!('lane' in action)) return this.#happens(action.verb);
    const lane = this.lanes[action.lane - 1];
    if (lane === undefined) throw new Error(`there is no request ${action.lane}`);
    const { current } = lane;
    const [late] = lane.strays;
    switch (action.verb) {
      case 'send':
        return lane.send(action.variant);
      case 'go':
        if (current !== undefined) return this.#advance(current);
        return this.#passUntil(Math.min(...lane.timers.map(({ due }) => due)));
      case 'lose':
        if (current === undefined) return;
        lane.drop(current);
        return current.content.lose();
      case 'refuse':
        if (current === undefined) return;
        lane.drop(current);
        return current.content.refuse?.();
      case 'kill':
        return lane.kill();
      case 'timeout':
        return this.#passUntil(this.time + lane.untilTimeout());
      case 'late':
        if (late === undefined) return;
        lane.note('table', `The ${nounOf(late.content.name)} of request ${lane.number} arrives late.`);
        return this.#advance(late);
      case 'drop':
        if (late === undefined) return;
        lane.note('loss', `The ${nounOf(late.content.name)} of request ${lane.number} never arrives.`);
        lane.drop(late);
    }
  }

  async #advance(message: Lane['messages'][number]): Promise<void> {
    const { lane } = message;
    const noun = nounOf(message.content.name);
    const { stage } = message;
    const hasEnded = await message.advance();
    if (message.stage === 'sent') lane.note('post', `The ${noun} of process ${lane.number} is on its way.`);
    if (stage === 'answered') lane.note('post', `Process ${lane.number} goes on.`);
    if (stage === 'applied' && lane.isAlive)
      lane.note('post', `Process ${lane.number} gets the answer to its ${noun}.`);
    // No process takes the answer any more.
    if (!hasEnded && lane.process !== 'dead') return lane.reach(message);
    if (lane.messages.includes(message)) lane.drop(message);
    if (lane.process !== 'dead') message.content.settle();
  }

  async #happens(verb: Exclude<Action, { lane: number }>['verb']): Promise<void> {
    switch (verb) {
      case 'second':
        return this.#passUntil(this.time + 1000);
      case 'lease':
        return this.#passUntil(this.leasesEnd());
      case 'retention':
        return this.#passUntil(this.retentionsEnd());
      case 'ttl':
        return this.#deleteExpired();
      case 'resolve-done':
      case 'resolve-free':
        return this.#resolve(verb === 'resolve-done');
    }
  }

  // Time.

  delay(lane: Lane, millis: number) {
    const { promise: elapsed, resolve } = Promise.withResolvers<void>();
    const timer = { due: this.time + millis, lane, fire: resolve };
    this.timers.push(timer);
    const cancel = () => {
      this.#forget(timer);
      resolve();
    };
    return { elapsed, cancel };
  }

  /** Every timer fires at its time, and Lambda stops what has no time left. */
  async #passUntil(end: number): Promise<void> {
    const began = this.time;
    this.notes.push({ kind: 'time', lane: undefined, text: `${duration(end - began)} pass.` });
    for (;;) {
      const due = Math.min(...this.timers.map((timer) => timer.due), ...this.#deadlines());
      if (due > end) break;
      this.time = Math.max(this.time, due);
      for (const lane of this.lanes) if (lane.isAlive && lane.deadline <= this.time) lane.kill();
      const timer = this.timers.find((one) => one.due === due);
      if (timer !== undefined) {
        this.#forget(timer);
        timer.lane.gaveUp();
        timer.fire();
      }
      await this.#settle();
    }
    this.time = Math.max(this.time, end);
  }

  #deadlines(): number[] {
    return this.lanes.filter(({ isAlive }) => isAlive).map(({ deadline }) => deadline);
  }

  #forget(timer: Timer): void {
    const index = this.timers.indexOf(timer);
    if (index >= 0) this.timers.splice(index, 1);
  }

  forgetTimers(dead: Lane): void {
    for (const timer of dead.timers) this.#forget(timer);
  }

  /** When every lease in the table has ended on every clock; now where it has. */
  leasesEnd(): number {
    const leases = this.#records.map((record) =>
      record.status === 'IN_PROGRESS' ? record.leaseUntil + SKEW_MILLIS : 0,
    );
    return Math.max(this.time, ...leases.map((at) => at - BEGINNING));
  }

  retentionsEnd(): number {
    return Math.max(this.time, ...this.#records.map(({ expiration }) => expiration * 1000 - BEGINNING));
  }

  // The table and the bank, at once.

  remember(id: string, key: string): void {
    this.#keys.set(id, key);
  }

  /** @returns the receipt */
  happen(lane: Lane, effect: string, amount: number, key: string | undefined): string {
    const { receipt, isKnown } = this.bank.happen(
      { lane: lane.number, order: lane.key, effect, amount, at: this.time },
      key,
    );
    lane.note(
      'effect',
      isKnown
        ? `The bank knows this payment by its key: it takes nothing, and answers ${receipt}.`
        : effectText(effect, amount, this.bank.balance),
    );
    return receipt;
  }

  #pay(items: readonly Payment[]): void {
    for (const item of items) this.bank.happen({ ...item, effect: 'charge', at: this.time });
  }

  get records(): readonly IdempotencyRecord[] {
    return this.#records;
  }

  get expired(): readonly IdempotencyRecord[] {
    return this.#records.filter(({ expiration }) => expiration * 1000 <= BEGINNING + this.time);
  }

  async #deleteExpired(): Promise<void> {
    for (const record of this.expired) {
      await this.store.remove(record.id, record);
      this.witness.deleted(this.#keys.get(record.id) ?? '', this.time, seenOf(record) as never);
    }
    this.notes.push({ kind: 'table', lane: undefined, text: "The table's own TTL deletes what has expired." });
  }

  /** The record of which only an operator can find out the outcome. */
  get unknown(): IdempotencyRecord | undefined {
    const now = BEGINNING + this.time;
    return this.#records.find((record) => record.status === 'IN_PROGRESS' && record.leaseUntil + SKEW_MILLIS <= now);
  }

  /** What `npx middy-idempotency complete` and `release` do. */
  async #resolve(isDone: boolean): Promise<void> {
    const { unknown } = this;
    if (unknown === undefined) return;
    this.witness.endsHere();
    const now = () => BEGINNING + this.time;
    const operator: Pick<Runtime, 'now' | 'randomToken'> = { now, randomToken: () => 'operator#1' };
    const { complete, release } = createResolving(operator);
    const charge = this.bank.charges.find(({ effect }) => effect === 'charge');
    if (isDone)
      await complete(this.store, unknown.id, unknown, { paid: charge?.amount, receipt: 'found by an operator' }, {});
    else await release(this.store, unknown.id, unknown, {});
    const what = isDone
      ? 'the payment is there, and completes the record'
      : 'nothing was paid, and releases the record';
    this.notes.push({ kind: 'table', lane: undefined, text: `An operator finds that ${what}.` });
  }
}

function effectText(effect: string, amount: number, balance: number): string {
  if (amount === 0) return `The ${nounOf(effect)} happens.`;
  return `The bank takes €${amount}: the balance is €${balance}.`;
}
