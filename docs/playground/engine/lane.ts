import type { Answer } from '../../../proofs/lib/history.ts';
import type { IdempotencyEvent } from '../../../src/core/events.ts';
import type { IdempotencyHandle } from '../../../src/core/execution/handle.ts';
import type { RecordStore } from '../../../src/core/record/store.ts';
import type { Runtime } from '../../../src/core/runtime.ts';
import type { RowId } from './decisions.ts';
import { type Content, Message } from './message.ts';
import type { Variant } from './schedule.ts';
import { answerOf, doingOf, sendingOf, viewOf } from './sentences.ts';
import type { Session, Timer } from './session.ts';
import { tableOf } from './table.ts';
import {
  AMOUNT,
  type AnswerView,
  BEGINNING,
  type ClientState,
  type LaneView,
  LEASE_MILLIS,
  type Note,
  OTHER_AMOUNT,
  type ProcessState,
  WAIT_MILLIS,
} from './terms.ts';
import type { Told } from './witness.ts';
import { functionOf, type Order, type Payment } from './work.ts';

/** Before the end of the invocation, Middy's early timeout answers. */
const TIMEOUT_EARLY_MILLIS = 5;

/** One request: its client, and the process that it is in. Each process has one request, as in Lambda. */
export class Lane {
  readonly number: number;
  readonly session: Session;
  readonly setup: Session['setup'];
  readonly runtime: Runtime;
  readonly store: RecordStore<Payment>;
  /** The results of its steps, by name. */
  readonly results = new Map<string, string>();
  readonly messages: Message[] = [];
  readonly #places = new Map<Message, string>();
  /** How often it has come to each place. */
  readonly #reached = new Map<string, number>();
  /** What the client has sent as its key. */
  key = '';
  client: ClientState = 'idle';
  process: ProcessState = 'none';
  isExecuting = false;
  /** The claim that it has sent last. */
  claim: { readonly owner: string; readonly leaseUntil: number; readonly fingerprint?: string | undefined } | undefined;
  #order: Order = { id: undefined, amount: AMOUNT };
  #answer: AnswerView | undefined;
  #handle: IdempotencyHandle<never> | undefined;
  #look: () => void = () => undefined;
  #leaseUntil = 0;
  #onLonger: () => void = () => undefined;
  /** What its code has thrown. */
  #thrown: unknown;
  /** Of a Lambda invocation, milliseconds since the beginning. */
  #deadline: number | undefined;

  constructor(session: Session, number: number) {
    this.session = session;
    this.setup = session.setup;
    this.number = number;
    this.store = tableOf(this);
    let jitter = number;
    let tokens = 0;
    this.runtime = {
      now: () => BEGINNING + session.time,
      monotonic: () => session.time,
      randomToken: () => `${number}#${++tokens}`,
      random() {
        jitter = Math.imul(jitter, 48_271) & 0x7fffffff;
        return jitter / 2 ** 31;
      },
      delay: (millis) => session.delay(this, millis),
    };
  }

  get isAlive(): boolean {
    return this.process === 'running';
  }

  /** Whether its code has begun: what it writes then is no claim. */
  get hasStarted(): boolean {
    return this.#handle !== undefined;
  }

  /** What the schedule moves: the newest message that its sender waits for. */
  get current(): Message | undefined {
    return this.messages.findLast(({ isStray }) => !isStray);
  }

  get strays(): readonly Message[] {
    return this.messages.filter(({ isStray }) => isStray);
  }

  get timers(): readonly Timer[] {
    return this.session.timers.filter(({ lane }) => lane === this);
  }

  /** The place where it stands, as the kill table names it. */
  get place(): string | undefined {
    return this.current && this.#places.get(this.current);
  }

  /** A message has come to a place. The n-th time has another name than the first. */
  reach(message: Message): void {
    const { name } = message.content;
    const place = `${name}: ${message.stage}`;
    const times = (this.#reached.get(place) ?? 0) + 1;
    this.#reached.set(place, times);
    this.#places.set(message, times === 1 ? place : `${name} ${times}: ${message.stage}`);
  }

  // The client.

  async send(variant: Variant): Promise<void> {
    const id = { same: 'order-17', 'other-amount': 'order-17', 'no-key': undefined, 'other-key': 'order-18' }[variant];
    this.#order = { id, amount: variant === 'other-amount' ? OTHER_AMOUNT : AMOUNT };
    this.key = id ?? '';
    this.client = 'waiting';
    this.note('send', `The client sends request ${this.number}: ${this.#asks()}.`);
    await this.post({
      name: 'request',
      to: 'function',
      text: `pay €${this.#order.amount}`,
      apply: async () => {
        this.#begin();
        return '';
      },
      settle: () => undefined,
      lose: () => this.#hearsNothing('The request never arrives: nothing was executed.'),
    });
  }

  #asks(): string {
    const { id, amount } = this.#order;
    return `pay €${amount}${id === undefined ? ' without a key' : ` for ${id}`}`;
  }

  #begin(): void {
    const { session, setup } = this;
    const isTransaction = setup.work.startsWith('transaction');
    const isLambda = setup.work === 'middy';
    this.#deadline = isLambda ? session.time + LEASE_MILLIS : undefined;
    this.tell({
      type: 'called',
      key: this.key,
      payload: String(this.#order.amount),
      offset: 0,
      leaseMillis: isTransaction ? 60_000 : LEASE_MILLIS,
      ...(isLambda && { deadline: BEGINNING + session.time + LEASE_MILLIS }),
      ...(setup.busy === 'wait' && { waitMillis: WAIT_MILLIS }),
      ...(isTransaction && { transaction: true }),
      // A request that comes when all is well again.
      ...(this.number > setup.requests && { probe: true }),
    });
    this.process = 'running';
    this.note('work', `Request ${this.number} arrives, and process ${this.number} starts.`);
    functionOf(this)(this.#order).then(
      (value) => this.#answers({ kind: 'returned', text: JSON.stringify(value) }, undefined),
      (error) => this.#answers(answerOf(error, this.#thrown), error),
    );
  }

  #answers(answer: Answer, error: unknown): void {
    // The caller of a dead process gets nothing.
    if (!this.isAlive) return;
    this.tell({ type: 'answered', answer });
    const view = viewOf(answer, error);
    void this.post({
      name: 'answer',
      to: 'client',
      text: view.title,
      apply: async () => {
        this.client = 'answered';
        this.#answer = view;
        if (!this.isExecuting) this.process = 'ended';
        this.note('answer', `The client gets ${view.title} for request ${this.number}.`);
        return view.title;
      },
      settle: () => undefined,
      lose: () => {
        if (!this.isExecuting) this.process = 'ended';
        this.#hearsNothing('The answer is lost.');
      },
    });
    if (!this.isExecuting && this.setup.steps === 'large') this.process = 'ended';
  }

  #hearsNothing(why: string): void {
    this.client = 'without an answer';
    this.note('loss', `${why} The client does not know what became of request ${this.number}.`);
  }

  // The process.

  /** Sends a message, which may stop at once. */
  async post(content: Content): Promise<void> {
    const message = new Message(this, content, this.setup.steps);
    if (message.stage !== undefined) {
      this.messages.push(message);
      this.reach(message);
      if (content.to !== 'function' && !content.isAgain)
        this.note('post', `Process ${this.number} ${sendingOf(content)}.`);
      return;
    }
    await message.arrive();
    content.settle();
  }

  begins(handle: IdempotencyHandle<never>, look: () => void): void {
    this.isExecuting = true;
    this.#handle = handle;
    this.#look = look;
    this.#leaseUntil = handle.leaseUntil;
    this.note('work', `The guarded code of process ${this.number} begins: attempt ${handle.attempt}.`);
  }

  ends(error: unknown): void {
    this.isExecuting = false;
    this.#thrown = error;
    if (this.client !== 'waiting' && this.messages.every(({ content }) => content.name !== 'answer')) {
      this.process = 'ended';
    }
  }

  /** The handle shows that a lease got longer, and there is no event of it. @returns whether that is so */
  look(): boolean {
    if (!this.isAlive || !this.isExecuting || this.#handle === undefined) return false;
    this.#look();
    const isLonger = this.#handle.leaseUntil > this.#leaseUntil;
    if (isLonger) this.#onLonger();
    return isLonger;
  }

  /** Resolves when its lease lasts longer than now. */
  longerLease(): Promise<void> {
    this.#leaseUntil = this.#handle?.leaseUntil ?? 0;
    return new Promise((resolve) => {
      this.#onLonger = resolve;
    });
  }

  /** Its own timer ends what it has waited for: what is still on its way is given up. */
  gaveUp(): void {
    for (const message of this.messages) {
      if (message.content.to !== 'table' || message.isStray) continue;
      message.isStray = true;
      this.tell({ type: 'failed', retryable: true });
    }
  }

  kill(): void {
    const { current } = this;
    const doing = current === undefined ? '' : ` while ${doingOf(current)}`;
    this.note('death', `Process ${this.number} dies${doing}.`);
    this.tell({ type: 'crashed' });
    this.process = 'dead';
    this.isExecuting = false;
    this.session.forgetTimers(this);
    for (const message of [...this.messages]) {
      // No process takes the answer. What has not left is gone with its process.
      if (message.stage !== 'sent') this.drop(message);
      else message.isStray = true;
    }
    if (this.client === 'waiting') this.client = 'without an answer';
  }

  drop(message: Message): void {
    this.messages.splice(this.messages.indexOf(message), 1);
  }

  // In Lambda.

  get deadline(): number {
    return this.#deadline ?? Number.POSITIVE_INFINITY;
  }

  remaining(): number {
    return Math.max(0, this.deadline - this.session.time);
  }

  untilTimeout(): number {
    return this.remaining() - TIMEOUT_EARLY_MILLIS;
  }

  timesOut(): never {
    if (this.isExecuting) this.tell({ type: 'timedOut' });
    this.note(
      'time',
      `Middy answers early: the time of process ${this.number} has ended. Its code may still be running.`,
    );
    const error = new Error('[AbortError]: The operation was aborted.', { cause: { package: '@middy/core' } });
    error.name = 'TimeoutError';
    this.#thrown = error;
    throw error;
  }

  // What is seen of it.

  tell(event: Told): void {
    if (event.type === 'stepTold') this.results.set(event.step, event.result);
    this.session.witness.tell(this.number, this.session.time, event);
  }

  note(kind: Note['kind'], text: string, row?: RowId): void {
    this.session.notes.push({ kind, lane: this.number, text, ...(row && { row }) });
  }

  onEvent = ({ type }: IdempotencyEvent): void => {
    this.tell({ type: 'reported', report: type });
  };

  view(): LaneView {
    const { number, client, process, isExecuting } = this;
    const [wakes] = this.timers.map(({ due }) => due).sort((one, other) => one - other);
    return {
      lane: number,
      asks: this.#asks(),
      client,
      answer: this.#answer,
      process,
      isExecuting,
      attempt: this.#handle?.attempt,
      leaseUntil: this.#handle && this.#handle.leaseUntil - BEGINNING,
      wakesAt: wakes,
      messages: this.messages.map((message) => message.view()),
    };
  }
}
