import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { Ending } from '../lib/history.ts';
import { WatchedHandle } from '../lib/watched-handle.ts';
import type { CallRun } from './call.ts';
import { itemsFor } from './effects.ts';
import type { Action, Script } from './script.ts';

/** Of an invocation: an answer that comes then cannot be told from that of Middy's early timeout. */
const LAST_MILLIS = 7;

/** Something of a handler that waits until the schedule lets it go on. */
export interface Turn {
  /** The handler itself, or one of its steps. */
  readonly what: string;
  goOn(): void;
}

/** Until the schedule lets it go on. */
export function turnOf({ turns }: CallRun, what: string): Promise<void> {
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

/** The guarded work of one call: does what its script says, and writes down all that it does and sees. */
export class HandlerRun {
  readonly #call: CallRun;
  readonly #handle: WatchedHandle<object>;
  readonly #script: Script;
  /** How many responses it has tried to store: each has a text of its own. */
  #responses = 0;
  isRunning = false;
  isHanging = false;
  /** What the `settle` option says of its end, and which one that was. */
  ending: { readonly kind: Ending['kind']; readonly settlement: Script['settlement'] } | undefined;

  constructor(call: CallRun, handle: IdempotencyHandle<object>) {
    this.#call = call;
    this.#script = call.plan.script;
    this.#handle = new WatchedHandle(handle, (event) => call.record(event));
  }

  async run(): Promise<unknown> {
    const { extensions, actions = [], end, watches = false } = this.#script;
    this.isRunning = true;
    if (watches) this.#handle.watchSignal();
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
    if (this.isRunning) this.#handle.look();
  }

  #turn(what: string): Promise<void> {
    return turnOf(this.#call, what);
  }

  /** Whether the handler goes on after it. */
  async #perform(action: Action): Promise<boolean> {
    try {
      switch (action.does) {
        case 'extend':
          await this.#handle.extend(action.millis);
          break;
        case 'steps':
          await Promise.all(action.names.map((name) => this.#handle.step(name, () => this.#runStep(name))));
          break;
        case 'transact':
          await this.#transact(action.refused);
          break;
        case 'complete':
          await this.#handle.complete(this.#response('completed'));
      }
      return true;
    } catch {
      // A handler that goes on all the same is the worst that a user can do.
      return action.does === 'extend' || this.#script.onFailure === 'go on';
    }
  }

  async #runStep(step: string): Promise<string> {
    await this.#turn(`step ${step}`);
    if (this.#script.failing?.includes(step) === true) throw this.#call.failure();
    const isBulky = this.#script.bulky?.includes(step) === true;
    return `${isBulky ? 'bulky ' : ''}${step} by ${this.#call.plan.id}`;
  }

  #transact(refused: boolean): Promise<void> {
    const items = itemsFor(this.#call.world.plan, this.#call.plan.key, refused ? 'refused' : 'free');
    return this.#handle.transact(items, this.#response('transacted'));
  }

  #response(done: 'completed' | 'transacted') {
    const times = this.#responses++ === 0 ? '' : ` again (${this.#responses})`;
    const text = this.#sized(`${done}${times} by ${this.#call.plan.id}`);
    return { text, value: text };
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
    const keeps = isThrown || isTooLate || this.#script.after !== 'nothing';
    this.#call.record({ type: 'ended', outcome, ...this.#handle.promised(settlement, outcome.text, keeps) });
    if (isThrown) throw this.#call.failure();
    return end === 'return' ? this.#answer() : { call: this.#call, toJSON: () => 1n };
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
    const { stored } = this.#handle;
    return returns === 'the same' && stored !== undefined ? stored : this.#sized(this.#call.text());
  }

  #sized(text: string): string {
    return this.#script.large === true ? `large ${text}` : text;
  }
}

const extend = (millis: number): Action => ({ does: 'extend', millis });
