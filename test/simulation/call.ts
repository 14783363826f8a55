import type { IdempotencyHandle } from '../../src/core/handle.ts';
import type { Ending } from '../support/history.ts';
import { currentCall } from './current-call.ts';
import type { CallPlan } from './plan.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** Of an invocation: an answer that comes then cannot be told from that of Middy's early timeout. */
const LAST_MILLIS = 7;

/** One request, from its coming in to its answer. */
export class CallRun {
  readonly plan: CallPlan;
  readonly process: Process;
  readonly #world: World;
  /** In Lambda: when its process is stopped, true time. */
  readonly deadline: number | undefined;
  isAnswered = false;
  /** How many requests it has sent, and how many claims it has made. */
  requests = 0;
  tokens = 0;
  /** Its handler, while it can go on. */
  handler: { goOn(): void } | undefined;
  #isRunning = false;
  #step = 0;

  constructor(world: World, plan: CallPlan, process: Process) {
    this.#world = world;
    this.plan = plan;
    this.process = process;
    this.deadline = world.plan.entry === 'lambda' ? world.time + world.plan.leaseMillis : undefined;
  }

  /** Whether nothing of it can go on. */
  get isOver(): boolean {
    return this.isAnswered && !this.#isRunning;
  }

  timeOut(): void {
    if (this.#isRunning) this.#record({ type: 'timedOut' });
  }

  /** The guarded work. */
  handle(handle: IdempotencyHandle): Promise<unknown> {
    const { attempt, leaseUntil } = handle;
    this.#record({ type: 'started', attempt, leaseUntil });
    this.#isRunning = true;
    return new Promise((resolve, reject) => {
      const goOn = () => {
        this.handler = undefined;
        const millis = this.plan.script.extensions[this.#step++];
        if (millis !== undefined) void currentCall.run(this, () => this.#extend(handle, millis)).then(ready);
        else this.#end(resolve, reject);
      };
      const ready = () => {
        const { extensions, end } = this.plan.script;
        if (this.#step < extensions.length || end !== 'hang') this.handler = { goOn };
      };
      ready();
    });
  }

  async #extend(handle: IdempotencyHandle, millis: number): Promise<void> {
    try {
      await handle.extend(millis);
      this.#record({ type: 'extended', leaseUntil: handle.leaseUntil });
    } catch {
      // A handler that goes on all the same: the worst that a user can do.
    }
  }

  #end(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
    const { script } = this.plan;
    this.#isRunning = false;
    // So late an answer counts as that of a timeout.
    const isTooLate = this.deadline !== undefined && this.deadline - this.#world.time <= LAST_MILLIS;
    const settlement = isTooLate ? 'hold' : script.settlement;
    this.#record({ type: 'ended', outcome: this.#outcome(), settlement });
    if (script.end === 'throw') reject(this.failure());
    else resolve(script.end === 'return' ? this.text() : { call: this, toJSON: () => 1n });
  }

  /** What the caller is to see in the end, hooks of Middy included. */
  #outcome(): Ending {
    const { end, after } = this.plan.script;
    if (end === 'throw') return { kind: 'threw', text: this.failure().message };
    if (after === 'a hook throws') return { kind: 'threw', text: this.hookError() };
    if (after !== 'nothing') return { kind: 'returned', text: this.hookAnswer() };
    return { kind: 'returned', text: this.text(), ...(end !== 'return' && { notReplayable: true }) };
  }

  text(): string {
    return `result of ${this.plan.id}`;
  }

  failure(): Error {
    return new Error(`error of ${this.plan.id}`);
  }

  hookError(): string {
    return `hook's error of ${this.plan.id}`;
  }

  hookAnswer(): string {
    return `hook's answer of ${this.plan.id}`;
  }

  returned(value: unknown): void {
    const isUnreplayable = typeof value === 'object' && value !== null && 'call' in value;
    const text = isUnreplayable ? (value.call as CallRun).text() : String(value);
    this.#answered({ kind: 'returned', text });
  }

  threw(error: unknown): void {
    const { code, name, message } = error as { code?: string; name: string; message: string };
    this.#answered(
      name === 'IdempotencyError' ? { kind: 'refused', code: String(code) } : { kind: 'threw', text: message },
    );
  }

  #answered(answer: Ending | { kind: 'refused'; code: string }): void {
    this.isAnswered = true;
    this.#record({ type: 'answered', answer });
  }

  #record(event: Parameters<World['recordOf']>[1]): void {
    this.#world.recordOf(this, event);
  }
}
