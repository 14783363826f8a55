import type { HistoryEvent } from '../lib/history.ts';
import { CallRun } from './call.ts';
import { currentCall } from './current-call.ts';
import { ItemTable } from './item-table.ts';
import { Network } from './network.ts';
import { BEGINNING, type CallPlan, type Plan } from './plan.ts';
import { Process, type Timer } from './process.ts';
import { RedisServer } from './redis-server.ts';
import { SqlServer } from './sql-server.ts';
import type { Rows } from './table.ts';
import { Tokens } from './tokens.ts';

type OfCall = Exclude<HistoryEvent, { type: 'deleted' | 'partLost' }>;
type Details<T> = T extends OfCall ? Omit<T, 'at' | 'call'> : never;

/** All that exists in one schedule: time, processes, what is on its way, and the history so far. */
export class World {
  readonly plan: Plan;
  readonly network: Network;
  /** The table of items, where the store is that of DynamoDB. */
  readonly items: ItemTable | undefined;
  /** Where the store is `postgresStore`, or `redisStore`. */
  readonly sql: SqlServer | undefined;
  readonly redis: RedisServer | undefined;
  readonly events: HistoryEvent[] = [];
  readonly timers: Timer[] = [];
  readonly calls: CallRun[] = [];
  readonly waiting: CallPlan[];
  /** True time, epoch milliseconds. */
  time = BEGINNING;
  /** Whether some process was stopped for a while, so that its timers came late. */
  wasPaused = false;
  /** What each host's clock shows now, less true time. */
  readonly offsets: number[];
  readonly #processes: Process[] = [];
  #jitter = 1;

  constructor(plan: Plan) {
    this.plan = plan;
    this.offsets = [...plan.offsets];
    this.network = new Network(this);
    const tokens = new Tokens(plan.remembersTokens === true ? () => this.time : undefined);
    this.items = plan.store === 'dynamodb' ? new ItemTable(tokens, plan.withoutItems !== true) : undefined;
    this.sql = plan.store === 'postgres' ? new SqlServer() : undefined;
    this.redis = plan.store === 'redis' ? new RedisServer(() => this.time + plan.tableOffset) : undefined;
    this.waiting = [...plan.calls];
  }

  /** What the store of a database writes to; `undefined` where the table is one of records. */
  get server(): Rows | undefined {
    return this.items ?? this.sql ?? this.redis;
  }

  record(event: HistoryEvent): void {
    this.events.push(event);
  }

  recordOf(call: CallRun, details: Details<OfCall>): void {
    this.record({ ...details, at: this.time, call: call.plan.id } as HistoryEvent);
  }

  currentCall(): CallRun {
    const call = currentCall.getStore();
    if (call === undefined) throw new Error('simulation: code of no call');
    return call;
  }

  /** For jitter: the n-th number of every schedule is the same. */
  random(): number {
    this.#jitter = Math.imul(this.#jitter, 48_271) & 0x7fffffff;
    return this.#jitter / 2 ** 31;
  }

  /** What code in no move's way can see. */
  observe(): void {
    for (const call of this.calls) if (call.process.isAlive) call.observe();
  }

  /** No other claim ever has it. It begins with its call's name, for the witness. */
  token(): string {
    const call = this.currentCall();
    return `${call.plan.id}#${++call.tokens}`;
  }

  begin(plan: CallPlan): void {
    const index = this.waiting.indexOf(plan);
    if (index >= 0) this.waiting.splice(index, 1);
    const call = new CallRun(this, plan, this.#processOn(plan.host));
    this.calls.push(call);
    const { key, payload, probe, script } = plan;
    const { deadline, process } = call;
    const { leaseMillis, waitMillis } = this.plan;
    const extra = {
      ...(deadline !== undefined && { deadline }),
      ...(probe && { probe }),
      ...(waitMillis && { waitMillis }),
      ...(script.transaction && { transaction: true }),
      ...(this.plan.worksInSql === true && { repeats: true }),
    };
    this.recordOf(call, { type: 'called', key, payload, offset: process.offset, leaseMillis, ...extra });
    if (deadline !== undefined)
      this.timers.push({ due: deadline, call, process, isDeadline: true, fire: () => this.#stop(call) });
    process.take(call);
  }

  stepClock(host: number, offset: number): void {
    // What has happened at this very time has happened by the clock as it was.
    this.time += 1;
    this.offsets[host] = offset;
    for (const call of this.calls) {
      if (call.process.host === host) this.recordOf(call, { type: 'clockStepped', offset });
    }
  }

  /** Lambda stops what is still running. */
  #stop(call: CallRun): void {
    if (!call.isOver) this.crash(call.process);
  }

  /** Timers may be late for it, but Lambda is not. */
  pass(millis: number): void {
    this.time += millis;
    for (const timer of this.timers.filter(({ isDeadline, due }) => isDeadline && due <= this.time)) this.fire(timer);
  }

  /** In Lambda a process has one request at a time, and begins anew here for each: that hides nothing. */
  #processOn(host: number): Process {
    const isShared = this.plan.entry !== 'lambda';
    const running = this.#processes.find((process) => process.host === host && process.isAlive && isShared);
    if (running !== undefined) return running;
    const process = new Process(this, host);
    this.#processes.push(process);
    return process;
  }

  /** Those in which something may go on. */
  busyProcesses(): Process[] {
    const isBusy = (process: Process) => this.calls.some((call) => call.process === process && !call.isOver);
    return this.#processes.filter((process) => process.isAlive && isBusy(process));
  }

  /** Nothing of it goes on: only what it has sent may still arrive. */
  crash(process: Process): void {
    process.isAlive = false;
    for (const call of this.calls) {
      if (call.process !== process) continue;
      if (!call.isOver) this.recordOf(call, { type: 'crashed' });
      call.turns.length = 0;
    }
    this.timers.splice(0, this.timers.length, ...this.timers.filter((timer) => timer.process !== process));
  }

  crashHanging(): void {
    for (const { process, isHanging } of this.calls) if (isHanging && process.isAlive) this.crash(process);
  }

  /** The next timer, by its time, and of two the one that was set first. */
  nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.timers) if (next === undefined || timer.due < next.due) next = timer;
    return next;
  }

  fire(timer: Timer): void {
    this.forget(timer);
    this.time = Math.max(this.time, timer.due);
    this.network.late(timer.call);
    timer.fire();
  }

  deleteRecord(id: string): void {
    const before = this.network.rows.seen(id);
    const key = this.network.keys.get(id);
    this.network.rows.delete(id);
    if (before !== undefined && key !== undefined) this.record({ type: 'deleted', at: this.time, key, before });
  }

  losePart(id: string): void {
    const key = this.network.keys.get(id);
    this.network.rows.delete(id);
    if (key !== undefined) this.record({ type: 'partLost', at: this.time, key });
  }

  forget(timer: Timer): void {
    const index = this.timers.indexOf(timer);
    if (index >= 0) this.timers.splice(index, 1);
  }

  /** The ids of what the table's own TTL may delete now. */
  expired(): string[] {
    const now = this.time + this.plan.tableOffset;
    const { rows } = this.network;
    return [...rows.ids()].filter((id) => now >= rows.expiration(id) * 1000);
  }
}
