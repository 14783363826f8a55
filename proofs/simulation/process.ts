import type { Runtime } from '../../src/core/runtime.ts';
import type { CallRun } from './call.ts';
import { currentCall } from './current-call.ts';
import { type Guarded, guardedFunction, guardedLambda, guardedTransaction } from './entry.ts';
import { simulatedRedisStore } from './redis-wire.ts';
import { sqlStore } from './sql-wire.ts';
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
  readonly #transaction: Guarded | undefined;

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
    const store = this.#store(world);
    this.#guarded = make(world, this.runtime, store);
    const hasTransactions = world.plan.calls.some(({ script }) => script.transaction !== undefined);
    this.#transaction = hasTransactions ? guardedTransaction(world, this.runtime, store) : undefined;
  }

  /** One of its own: that of DynamoDB knows what it has written, and that of PostgreSQL has connections. */
  #store({ sql, redis, items, network }: World) {
    if (sql !== undefined) return sqlStore(this.#world, sql, () => this.isAlive);
    if (redis !== undefined) return simulatedRedisStore(this.#world, redis);
    return items === undefined ? network.store : wireStore();
  }

  /** What the clock of its host shows, less true time. */
  get offset(): number {
    return this.#world.offsets[this.host] ?? 0;
  }

  take(call: CallRun): void {
    const { key, payload, script } = call.plan;
    const guarded = (script.transaction && this.#transaction) ?? this.#guarded;
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
