import { AsyncLocalStorage } from 'node:async_hooks';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Runtime } from '../../src/core/runtime.ts';
import type { Random } from '../lib/random.ts';
import type { Item } from './expression.ts';
import { SimulatedTable, type WireAnswer, type WireRequest } from './table.ts';

export type Version = 'old' | 'mirror' | 'readThrough';

/** True time, and the order of what happens at the same time. */
export interface Moment {
  readonly at: number;
  readonly order: number;
}

/** One invocation: a process of its own, which may die. */
export interface Call {
  readonly name: string;
  readonly key: string;
  readonly version: Version;
  readonly startedAt: number;
  /** When Lambda kills it, true time. */
  readonly deadline: number;
  isAlive: boolean;
  isOver: boolean;
  /** When its handler had its effect. */
  effectAt?: number;
  /** When the table had its last request. */
  asked?: Moment;
  /** When the request that let its handler begin was applied. */
  claimed?: Moment;
  /** When the first write of its outcome was applied. */
  settled?: Moment;
  answer?: { readonly value?: unknown; readonly error?: unknown };
}

/** A write of the old code that met an item after the end of its own time. It has no condition. */
export interface LateWrite extends Moment {
  readonly key: string;
}

/** Something that can happen next. */
export interface Move {
  readonly weight: number;
  readonly what: string;
  make(): void;
}

interface Sent {
  readonly call: Call;
  readonly operation: string;
  readonly request: WireRequest;
  answer(answer: WireAnswer | 'lost'): void;
}

interface Timer {
  readonly due: number;
  readonly call: Call | undefined;
  fire(): void;
}

const current = new AsyncLocalStorage<{ readonly world: World; readonly call: Call }>();

/** Far in the future: no TTL, and no real clock, is near. */
const BEGINNING = Date.UTC(2040, 0, 1);

/** All that exists in one schedule: time, invocations, one table, and what is on its way to it and back. */
export class World {
  readonly table = new SimulatedTable();
  readonly calls: Call[] = [];
  readonly lateWrites: LateWrite[] = [];
  readonly handlers: { readonly call: Call; end(fails: boolean): void }[] = [];
  now = BEGINNING;
  readonly #random: Random;
  #arriving: Sent[] = [];
  #committing: { readonly sent: Sent; commit(): WireAnswer }[] = [];
  #returning: { readonly sent: Sent; readonly answer: WireAnswer }[] = [];
  #timers: Timer[] = [];
  #tokens = 0;
  #moments = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  readonly runtime: Runtime = {
    now: () => this.now,
    monotonic: () => this.now,
    randomToken: () => `token-${++this.#tokens}`,
    random: () => this.#random.next(),
    delay: (millis) => {
      const { promise: elapsed, resolve } = Promise.withResolvers<void>();
      const timer = { due: this.now + millis, call: current.getStore()?.call, fire: resolve };
      this.#timers.push(timer);
      return { elapsed, cancel: () => this.#forget(timer, resolve) };
    },
  };

  begin(key: string, version: Version, leaseMillis: number, run: (call: Call) => Promise<unknown>): void {
    const name = `${version}-${this.calls.length + 1}`;
    const deadline = this.now + leaseMillis;
    const call: Call = { name, key, version, startedAt: this.now, deadline, isAlive: true, isOver: false };
    this.calls.push(call);
    const over = (answer: NonNullable<Call['answer']>) => {
      call.isOver = true;
      call.answer = answer;
    };
    current.run({ world: this, call }, () => {
      run(call).then(
        (value) => over({ value }),
        (error: unknown) => over({ error }),
      );
    });
  }

  /** The handler of a call: it has its effect, unless it fails before. */
  async work(call: Call): Promise<object> {
    if (call.asked !== undefined) call.claimed = call.asked;
    return new Promise((resolve, reject) => {
      this.handlers.push({
        call,
        end: (fails) => {
          if (fails) return reject(new Error('declined'));
          call.effectAt = this.now;
          resolve({ by: call.name });
        },
      });
    });
  }

  async ask(call: Call, operation: string, request: WireRequest): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const answer = (given: WireAnswer | 'lost') => {
        if (!call.isAlive) return;
        if (given === 'lost') reject(Object.assign(new Error('socket hang up'), { name: 'TimeoutError' }));
        else resolve(given);
      };
      this.#arriving.push({ call, operation, request, answer });
    });
  }

  /** Nothing of it goes on. What it has sent may still arrive. */
  kill(call: Call): void {
    call.isAlive = false;
    this.handlers.splice(0, this.handlers.length, ...this.handlers.filter((handler) => handler.call !== call));
    this.#timers = this.#timers.filter((timer) => timer.call !== call);
  }

  moves(faults: boolean): Move[] {
    const lost = faults ? 1 : 0;
    return [
      ...this.#arriving.flatMap((sent) => [
        { weight: 20, what: `${sent.call.name} ${sent.operation} arrives`, make: () => this.#arrive(sent) },
        { weight: lost, what: `${sent.call.name} ${sent.operation} is lost`, make: () => this.#drop(sent) },
      ]),
      ...this.#committing.map((entry) => ({
        weight: 20,
        what: `${entry.sent.call.name} commits`,
        make: () => this.#commit(entry),
      })),
      ...this.#returning.flatMap((entry) => [
        { weight: 20, what: `${entry.sent.call.name} is answered`, make: () => this.#return(entry, entry.answer) },
        { weight: lost, what: `${entry.sent.call.name} gets no answer`, make: () => this.#return(entry, 'lost') },
      ]),
      ...this.handlers.flatMap((handler) => [
        { weight: 6, what: `${handler.call.name} works`, make: () => this.#end(handler, false) },
        { weight: 2, what: `${handler.call.name} fails`, make: () => this.#end(handler, true) },
      ]),
      ...this.#timers.map((timer) => ({
        weight: timer.due <= this.now ? 20 : 0,
        what: 'a timer fires',
        make: () => this.#forget(timer, timer.fire),
      })),
    ].filter(({ weight }) => weight > 0);
  }

  /** What is due next by itself, `undefined` where nothing is. */
  nextDue(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ due }) => due));
  }

  #arrive(sent: Sent): void {
    this.#arriving = this.#arriving.filter((other) => other !== sent);
    const { operation, request } = sent;
    sent.call.asked = this.#moment();
    if (operation !== 'TransactWriteItems') {
      const answer = this.table.answer(operation, request, (...write) => this.#wrote(sent.call, ...write));
      this.#returning.push({ sent, answer });
      return;
    }
    const prepared = this.table.prepare(request);
    if (typeof prepared !== 'function') this.#returning.push({ sent, answer: prepared });
    else this.#committing.push({ sent, commit: () => prepared((...write) => this.#wrote(sent.call, ...write)) });
  }

  #drop(sent: Sent): void {
    this.#arriving = this.#arriving.filter((other) => other !== sent);
    sent.answer('lost');
  }

  #commit(entry: { readonly sent: Sent; commit(): WireAnswer }): void {
    this.#committing = this.#committing.filter((other) => other !== entry);
    entry.sent.call.asked = this.#moment();
    this.#returning.push({ sent: entry.sent, answer: entry.commit() });
  }

  #return(entry: { readonly sent: Sent }, answer: WireAnswer | 'lost'): void {
    this.#returning = this.#returning.filter((other) => other !== entry);
    entry.sent.answer(answer);
  }

  #end(handler: { readonly call: Call; end(fails: boolean): void }, fails: boolean): void {
    this.handlers.splice(this.handlers.indexOf(handler), 1);
    handler.end(fails);
  }

  #forget(timer: Timer, then: () => void): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
    then();
  }

  #moment(): Moment {
    return { at: this.now, order: ++this.#moments };
  }

  #wrote(call: Call, _id: string, before: Item | undefined, after: Item | undefined): void {
    const status = after?.['status']?.['S'];
    if (status === 'COMPLETED') call.settled ??= this.#moment();
    const isClaim = status === 'INPROGRESS' || status === 'IN_PROGRESS';
    // Powertools deletes and completes whatever is there.
    if (call.version === 'old' && !isClaim && before !== undefined && this.now >= call.deadline) {
      this.lateWrites.push({ key: call.key, ...this.#moment() });
    }
  }
}

/** One client of the SDK for all schedules, of which only the connection is simulated. */
export const client = new DynamoDBClient({
  endpoint: 'http://simulated',
  region: 'eu-central-1',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
  signer: { sign: async <T>(request: T) => request },
  // What the SDK would send again, a retry of the client does.
  maxAttempts: 1,
  requestHandler: { handle: async (request: HttpRequest) => ({ response: await answerOf(request) }) },
});

interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

async function answerOf({ headers, body }: HttpRequest): Promise<object> {
  const [, operation = ''] = String(headers['x-amz-target']).split('.');
  const request = JSON.parse(new TextDecoder().decode(body)) as WireRequest;
  const on = current.getStore();
  const answer = on === undefined ? { status: 200, body: {} } : await on.world.ask(on.call, operation, request);
  return {
    statusCode: answer.status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: Buffer.from(JSON.stringify(answer.body)),
  };
}

/** The SDK reads its configuration at its first request: that would take turns of Node that no schedule waits for. */
export const warm: Promise<unknown> = client.send(new GetItemCommand({ TableName: 'any', Key: { id: { S: 'any' } } }));
