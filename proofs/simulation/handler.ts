import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { Ending } from '../../test/support/history.ts';
import type { CallRun } from './call.ts';
import { effectOf, refusedItem } from './effects.ts';
import type { Action, Script } from './script.ts';

/** Of an invocation: an answer that comes then cannot be told from that of Middy's early timeout. */
const LAST_MILLIS = 7;

/** Something of a handler that waits until the schedule lets it go on. */
export interface Turn {
  /** The handler itself, or one of its steps. */
  readonly what: string;
  goOn(): void;
}

/** The guarded work of one call: does what its script says, and writes down all that it does and sees. */
export class HandlerRun {
  readonly #call: CallRun;
  readonly #handle: IdempotencyHandle<object>;
  readonly #script: Script;
  isRunning = false;
  isHanging = false;
  /** What the `settle` option says of its end, and which one that was. */
  ending: { readonly kind: Ending['kind']; readonly settlement: Script['settlement'] } | undefined;
  /** The lease that was written down last. */
  #leaseUntil: number;
  /** The response that is certainly stored. */
  #stored: string | undefined;

  constructor(call: CallRun, handle: IdempotencyHandle<object>) {
    this.#call = call;
    this.#handle = handle;
    this.#script = call.plan.script;
    this.#leaseUntil = handle.leaseUntil;
  }

  async run(): Promise<unknown> {
    const { attempt, leaseUntil } = this.#handle;
    const { extensions, actions = [], end, watches = false } = this.#script;
    this.#call.record({ type: 'started', attempt, leaseUntil });
    this.isRunning = true;
    if (watches) this.#watch();
    let failed = false;
    for (const action of [...extensions.map(extend), ...actions]) {
      await this.#turn('the handler');
      failed = !(await this.#perform(action));
      if (failed) break;
    }
    this.isHanging = end === 'hang' && !failed;
    if (this.isHanging) await new Promise(() => undefined);
    await this.#turn('the handler');
    return this.#end(failed);
  }

  observe(): void {
    const { leaseUntil } = this.#handle;
    if (!this.isRunning || leaseUntil === this.#leaseUntil) return;
    this.#leaseUntil = leaseUntil;
    this.#call.record({ type: 'extended', leaseUntil });
  }

  #watch(): void {
    const { signal } = this.#handle;
    this.#call.record({ type: 'watching' });
    const told = () => this.#call.record({ type: 'signalled' });
    if (signal.aborted) told();
    else signal.addEventListener('abort', told);
  }

  #turn(what: string): Promise<void> {
    const { turns } = this.#call;
    return new Promise((resolve) => {
      const turn: Turn = {
        what,
        goOn() {
          turns.splice(turns.indexOf(turn), 1);
          resolve();
        },
      };
      turns.push(turn);
    });
  }

  /** Whether the handler goes on after it. */
  async #perform(action: Action): Promise<boolean> {
    try {
      switch (action.does) {
        case 'extend':
          await this.#handle.extend(action.millis);
          break;
        case 'steps':
          await Promise.all(action.names.map((name) => this.#step(name)));
          break;
        case 'transact':
          await this.#transact(action.refused);
          break;
        case 'complete':
          await this.#finish('complete', (text) => this.#handle.complete(text));
      }
      return true;
    } catch {
      // A handler that goes on all the same is the worst that a user can do.
      return action.does === 'extend' || this.#script.onFailure === 'go on';
    }
  }

  async #step(name: string): Promise<void> {
    const result = await this.#handle.step(name, () => this.#runStep(name));
    this.#call.record({ type: 'stepTold', step: name, result });
  }

  async #runStep(step: string): Promise<string> {
    this.#call.record({ type: 'stepBegan', step });
    await this.#turn(`step ${step}`);
    const fails = this.#script.failing?.includes(step) === true;
    const result = `${step} by ${this.#call.plan.id}`;
    this.#call.record({ type: 'stepEnded', step, ...(!fails && { result }) });
    if (fails) throw this.#call.failure();
    return result;
  }

  #transact(refused: boolean): Promise<void> {
    const items = refused ? [effectOf(this.#call.plan.key), refusedItem()] : [effectOf(this.#call.plan.key)];
    return this.#finish('transact', (text) => this.#handle.transact(items, text));
  }

  async #finish(by: 'complete' | 'transact', store: (text: string) => Promise<void>): Promise<void> {
    const text = this.#sized(`${by === 'complete' ? 'completed' : 'transacted'} by ${this.#call.plan.id}`);
    this.#call.record({ type: 'finishing', by, text });
    await store(text);
    this.#call.record({ type: 'finished', text });
    this.#stored = text;
  }

  #end(failed: boolean): unknown {
    const { end, settlement: wanted } = this.#script;
    const isThrown = failed || end === 'throw';
    // So late an answer counts as that of a timeout.
    const { deadline, time } = this.#call;
    const isTooLate = deadline !== undefined && deadline - time <= LAST_MILLIS;
    const settlement = isTooLate ? 'hold' : failed && end !== 'throw' ? 'release' : wanted;
    const outcome = this.#outcome(isThrown);
    this.ending = { kind: isThrown ? 'threw' : 'returned', settlement };
    this.isRunning = false;
    this.#call.record({ type: 'ended', outcome, ...this.#promised(settlement, outcome, isThrown || isTooLate) });
    if (isThrown) throw this.#call.failure();
    return end === 'return' ? this.#answer() : { call: this.#call, toJSON: () => 1n };
  }

  /** What becomes of it: after `complete` and `transact` no failure changes what is stored. */
  #promised(settlement: Script['settlement'], { text }: Ending, isFailure: boolean) {
    if (this.#stored === undefined) return { settlement };
    const isKept = isFailure || this.#script.after !== 'nothing';
    return { settlement: 'store' as const, ...(isKept && text !== this.#stored && { kept: this.#stored }) };
  }

  /** What the caller is to see in the end, hooks of Middy included. */
  #outcome(isThrown: boolean): Ending {
    const { end, after } = this.#script;
    if (isThrown) return { kind: 'threw', text: this.#call.failure().message };
    if (after === 'a hook throws') return { kind: 'threw', text: this.#call.hookError() };
    if (after !== 'nothing') return { kind: 'returned', text: this.#call.hookAnswer() };
    if (end === 'return') return { kind: 'returned', text: this.#answer() };
    return { kind: 'returned', text: this.#call.text(), notReplayable: true };
  }

  #answer(): string {
    const { returns = 'the same' } = this.#script;
    return returns === 'the same' && this.#stored !== undefined ? this.#stored : this.#sized(this.#call.text());
  }

  #sized(text: string): string {
    return this.#script.large === true ? `large ${text}` : text;
  }
}

const extend = (millis: number): Action => ({ does: 'extend', millis });
