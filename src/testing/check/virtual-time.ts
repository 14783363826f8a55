import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import { promisify } from 'node:util';

/** The time of one simulated run. It moves only when the run moves it. */
export interface VirtualTime {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since the run began. */
  elapsed(): number;
  /** Answers the function that cancels the timer. */
  schedule(millis: number, fire: () => void): () => void;
  /** From 0 up to, but not including, 1. */
  random(): number;
}

/**
 * Inside `inTime`, the clocks, the timers and `Math.random` of this process are those of the given run. Everything else in the
 * process, the test runner for example, keeps its own.
 */
const times = new AsyncLocalStorage<VirtualTime | undefined>();

export const inTime = <T>(time: VirtualTime | undefined, call: () => T): T => times.run(time, call);

/** A turn of the event loop. Nothing replaces this function. */
export const turn = (): Promise<void> => new Promise((resolve) => realSetImmediate(resolve));
const realSetImmediate = setImmediate;

let users = 0;
let restore: () => void = () => undefined;

/** Replaces the clocks and the timers of this process while `call` runs. */
export async function withVirtualTime<T>(call: () => Promise<T>): Promise<T> {
  if (users++ === 0) restore = install();
  try {
    return await call();
  } finally {
    if (--users === 0) restore();
  }
}

type Call = (...args: never[]) => unknown;
type Holder = Record<string, unknown>;

function install(): () => void {
  const replaced: (() => void)[] = [];
  const replace = (holder: object, name: string, make: (real: Call) => Call) => {
    const before = Object.getOwnPropertyDescriptor(holder, name);
    const value = make((holder as Holder)[name] as Call);
    Object.defineProperty(holder, name, { value, configurable: true, writable: true, enumerable: true });
    replaced.push(() =>
      before === undefined ? delete (holder as Holder)[name] : Object.defineProperty(holder, name, before),
    );
  };

  replace(Date, 'now', (real) => () => times.getStore()?.now() ?? real());
  replace(performance, 'now', (real) => {
    const zero = real.call(performance) as number;
    return () => {
      const time = times.getStore();
      return time === undefined ? real.call(performance) : zero + time.elapsed();
    };
  });
  replace(Math, 'random', (real) => () => times.getStore()?.random() ?? real());
  replace(globalThis, 'Date', (real) => virtualDate(real as unknown as DateConstructor) as unknown as Call);
  for (const holder of [globalThis, timers]) {
    replace(holder, 'setTimeout', (real) => timerFunction(real, false));
    replace(holder, 'setInterval', (real) => timerFunction(real, true));
    for (const name of ['clearTimeout', 'clearInterval']) replace(holder, name, clearFunction);
  }
  replace(timersPromises, 'setTimeout', sleepFunction);
  replace(AbortSignal, 'timeout', timeoutSignal);
  // A guard warns of every failure that the check has made.
  replace(
    process,
    'emitWarning',
    (real) =>
      (...args) =>
        times.getStore() ?? real.apply(process, args),
  );
  syncBuiltinESMExports();
  return () => {
    for (const undo of replaced.reverse()) undo();
    syncBuiltinESMExports();
  };
}

function virtualDate(real: DateConstructor): DateConstructor {
  return new Proxy(real, {
    construct(target, args, newTarget) {
      const time = args.length === 0 ? times.getStore() : undefined;
      return Reflect.construct(target, time === undefined ? args : [time.now()], newTarget);
    },
    apply: (target, self, args) =>
      times.getStore() === undefined ? Reflect.apply(target, self, args) : new target(target.now()).toString(),
  });
}

/** What `setTimeout` answers inside a run, with the methods of Node's own. */
class VirtualTimer {
  #cancel: () => void;
  readonly #start: () => () => void;
  constructor(start: () => () => void) {
    this.#start = start;
    this.#cancel = start();
  }
  ref = () => this;
  unref = () => this;
  hasRef = () => true;
  close(): this {
    this.#cancel();
    return this;
  }
  refresh(): this {
    this.#cancel();
    this.#cancel = this.#start();
    return this;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

function timerFunction(real: Call, repeats: boolean): Call {
  return Object.defineProperty(start, promisify.custom, { get: () => timersPromises.setTimeout });

  function start(callback: (...args: unknown[]) => void, millis?: number, ...args: unknown[]): unknown {
    const time = times.getStore();
    if (time === undefined) return real(...([callback, millis, ...args] as never[]));
    const fire = AsyncResource.bind(() => {
      if (repeats) timer.refresh();
      callback(...args);
    });
    const wait = Math.max(1, Number(millis) || 1);
    const timer = new VirtualTimer(() => time.schedule(wait, fire));
    return timer;
  }
}

function clearFunction(real: Call): Call {
  return (timer: unknown) => (timer instanceof VirtualTimer ? void timer.close() : real(timer as never));
}

function sleepFunction(real: Call): Call {
  return (millis?: number, value?: unknown, options?: { readonly signal?: AbortSignal }) => {
    const time = times.getStore();
    if (time === undefined) return real(...([millis, value, options] as never[]));
    return new Promise((resolve, reject) => {
      const signal = options?.signal;
      const refuse = () =>
        reject(Object.assign(new Error('The operation was aborted'), ABORTED, { cause: signal?.reason }));
      if (signal?.aborted) return refuse();
      const cancel = time.schedule(Math.max(1, Number(millis) || 1), () => resolve(value));
      signal?.addEventListener(
        'abort',
        () => {
          cancel();
          refuse();
        },
        { once: true },
      );
    });
  };
}

const ABORTED = { name: 'AbortError', code: 'ABORT_ERR' };

function timeoutSignal(real: Call): Call {
  return (millis: number) => {
    const time = times.getStore();
    if (time === undefined) return real.call(AbortSignal, millis as never);
    const controller = new AbortController();
    time.schedule(millis, () => controller.abort(new DOMException('The operation timed out', 'TimeoutError')));
    return controller.signal;
  };
}
