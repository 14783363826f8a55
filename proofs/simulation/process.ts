import type { Runtime } from '../../src/core/runtime.ts';
import type { CallRun } from './call.ts';
import { currentCall } from './current-call.ts';
import { type Guarded, guardedFunction, guardedLambda, guardedTransaction } from './entry.ts';
import { wireStore } from './wire.ts';
import type { World } from './world.ts';

export interface Timer {
  readonly due: number;
  readonly call: CallRun;
  readonly process: Process;
  /** Whether it is Lambda's own, at the end of the invocation. */
  readonly isDeadline: boolean;
  fire(): void;
}

/** One process: a guard with the clock of its host. It may die, and then nothing of it goes on. */
export class Process {
  readonly host: number;
  isAlive = true;
  readonly runtime: Runtime;
  readonly #world: World;
  readonly #guarded: Guarded;
  readonly #transaction: Guarded;

  constructor(world: World, host: number) {
    this.#world = world;
    this.host = host;
    this.runtime = {
      now: () => world.time + this.offset,
      monotonic: () => world.time,
      randomToken: () => world.token(),
      random: () => world.random(),
      delay: (millis) => this.#delay(millis),
    };
    const make = world.plan.entry === 'function' ? guardedFunction : guardedLambda;
    // A store of its own: that of DynamoDB knows what it has written.
    const store = world.items === undefined ? world.network.store : wireStore();
    this.#guarded = make(world, this.runtime, store);
    this.#transaction = guardedTransaction(world, this.runtime, store);
  }

  /** What the clock of its host shows, less true time. */
  get offset(): number {
    return this.#world.offsets[this.host] ?? 0;
  }

  take(call: CallRun): void {
    const { key, payload, script } = call.plan;
    const guarded = script.transaction === undefined ? this.#guarded : this.#transaction;
    const request = { key, payload };
    currentCall.run(call, () => {
      guarded(request).then(
        (value) => call.returned(value),
        (error) => call.threw(error),
      );
    });
  }

  #delay(millis: number) {
    let settle: () => void = () => undefined;
    const elapsed = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const due = this.#world.time + millis;
    const timer: Timer = { due, call: this.#world.currentCall(), process: this, isDeadline: false, fire: settle };
    this.#world.timers.push(timer);
    const cancel = () => {
      this.#world.forget(timer);
      settle();
    };
    return { elapsed, cancel };
  }
}
