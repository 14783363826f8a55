import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import { IdempotencyError } from '../../src/errors.ts';
import type { Ending } from '../lib/history.ts';
import { HandlerRun, type Turn } from './handler.ts';
import type { CallPlan, Script } from './plan.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

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
  /** What of its handler can go on. */
  readonly turns: Turn[] = [];
  #handler: HandlerRun | undefined;

  constructor(world: World, plan: CallPlan, process: Process) {
    this.#world = world;
    this.plan = plan;
    this.process = process;
    this.deadline = world.plan.entry === 'lambda' ? world.time + world.plan.leaseMillis : undefined;
  }

  /** Whether nothing of it can go on. */
  get isOver(): boolean {
    return this.isAnswered && this.#handler?.isRunning !== true && this.turns.length === 0;
  }

  /** Whether its handler has come to the place where it stays for ever. */
  get isHanging(): boolean {
    return this.#handler?.isHanging === true;
  }

  get world(): World {
    return this.#world;
  }

  get time(): number {
    return this.#world.time;
  }

  /** What the `settle` option says of the handler's own end. A failure of anything else is released, as by default. */
  settlementOf(kind: Ending['kind']): Script['settlement'] {
    const { ending } = this.#handler ?? {};
    return ending?.kind === kind ? ending.settlement : 'release';
  }

  timeOut(): void {
    if (this.#handler?.isRunning === true) this.record({ type: 'timedOut' });
  }

  /** The guarded work. */
  handle(handle: IdempotencyHandle<object>): Promise<unknown> {
    this.#handler = new HandlerRun(this, handle);
    return this.#handler.run();
  }

  /** Writes down what the handler can see, but is not told. */
  observe(): void {
    this.#handler?.observe();
  }

  text(): string {
    return `result of ${this.plan.id}`;
  }

  failure(): Error {
    return new Error(`error of ${this.plan.id}`);
  }

  /** What its caller is told when the condition of an item fails. */
  refusal(): string {
    return `refused items of ${this.plan.id}`;
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
    this.#answered(
      error instanceof IdempotencyError
        ? { kind: 'refused', code: error.code }
        : { kind: 'threw', text: this.isRefusal(error) ? this.refusal() : (error as Error).message },
    );
  }

  /** Whether a database has found something wrong with what the handler writes. */
  isRefusal(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    return error.name === 'TransactionCanceledException' || String((error as { code?: unknown }).code).startsWith('23');
  }

  #answered(answer: Ending | { kind: 'refused'; code: string }): void {
    this.isAnswered = true;
    this.record({ type: 'answered', answer });
  }

  record(event: Parameters<World['recordOf']>[1]): void {
    this.#world.recordOf(this, event);
  }
}
