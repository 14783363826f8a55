import type { Execution } from '../core/execution/execution.ts';
import { isObject } from '../json.ts';
import { goInside } from '../nesting.ts';

/**
 * What the hooks use of Middy's request (`@middy/core` 6 and 7). It has no `internal`: Middy takes its type from each
 * middleware, and a type that does not fit makes the handler's type `never`.
 */
export interface MiddyRequest<TEvent = unknown, TContext = unknown> {
  event: TEvent;
  context: TContext;
  response: unknown;
  earlyResponse?: unknown;
  error: unknown;
}

/** The hooks of a guard's run. */
interface Run {
  after(): Promise<void>;
  onError(): Promise<void>;
}

/** What guards keep of one request. It stays at the request, and goes with it. */
interface RequestState {
  /** The runs of this request, one for each guard. */
  readonly runs: Map<symbol, Run>;
  /** The guards that watch the request, the outer one first. */
  readonly watchers: Watcher[];
  /** The properties as they were before they were watched. Another copy of this package may have made them accessors. */
  readonly own: Partial<Record<Name, PropertyDescriptor>>;
  /** The thenables that a guard has begun to await. The `then` of a query sends it, so it must be called once. */
  readonly begun: Map<Thenable, Promise<unknown>>;
  /** The error or the response by which a guard has rejected the request. */
  rejection?: unknown;
  /**
   * What runs from now on is inside this execution. No function in its place: V8 would keep it, and the request with it, until the
   * next full garbage collection.
   */
  inside?: Execution;
}

type Name = 'response' | 'error' | 'context';

interface Watcher {
  responseWritten(value: unknown): void;
  /** Answers what is read instead of `value`. */
  responseRead(value: unknown): unknown;
  errorWritten(error: unknown): void;
}

const STATE = Symbol('middy-idempotency');
type Carrier = MiddyRequest & { [STATE]?: RequestState };

export function stateOf(request: MiddyRequest): RequestState {
  const carrier = request as Carrier;
  carrier[STATE] ??= { runs: new Map(), watchers: [], own: {}, begun: new Map() };
  return carrier[STATE];
}

/**
 * A value with a `then` that is no `Promise`: a query of a database library, or a promise of another library. Middy passes
 * it on as it is, and the caller gets what it resolves to.
 */
export type Thenable = PromiseLike<unknown> & object;

export function isThenable(value: unknown): value is Thenable {
  try {
    return typeof (value as { then?: unknown } | undefined)?.then === 'function';
  } catch {
    return false;
  }
}

/** Waits for a thenable, however many guards ask for it. */
export function resultOf(request: MiddyRequest, thenable: Thenable): Promise<unknown> {
  const { begun } = stateOf(request);
  const running = begun.get(thenable) ?? Promise.resolve(thenable);
  begun.set(thenable, running);
  return running;
}

export interface RequestListener {
  /** The first response after this guard's `before`: the handler's, or the response of Middy's early timeout. */
  answered(response: unknown): void;
  /** The error path begins. `answered`: the handler had answered before, so a later hook threw. */
  failed(error: unknown, answered: boolean): void;
  /** Another error replaces the first one. `ended`: a hook of the error path threw it, and no further hook is called. */
  failedAgain(error: unknown, ended: boolean): void;
  /** A hook has ended the chain with this response, so Middy skips our own hooks. Resolves with what Middy gets. */
  endedEarly(response: unknown): Promise<unknown>;
}

/**
 * Watches what Middy does with the request. The hooks alone do not tell whether an error comes from the handler or from a
 * later hook. They are skipped when another hook answers early, or throws on the error path.
 *
 * Middy assigns `response` once with the handler's answer. It assigns `undefined` when its error path begins, and then
 * `error`. It assigns an early response, which it then reads and returns without another hook.
 */
export function watchRequest(request: MiddyRequest, listener: RequestListener): void {
  const { watchers, own } = stateOf(request);
  let answers = 0;
  let errors = 0;
  let lastError: unknown;
  let early: Early | undefined;

  if (watchers.length === 0) {
    for (const name of Object.keys(ACCESSORS) as Name[]) {
      own[name] = Object.getOwnPropertyDescriptor(request, name) ?? { value: undefined };
      Object.defineProperty(request, name, ACCESSORS[name]);
    }
  }
  watchers.push({ responseWritten, responseRead, errorWritten });

  function responseWritten(value: unknown): void {
    early = undefined;
    // The chain has ended if Middy reads the response next. If it writes `error` next, the error path has begun.
    if ('earlyResponse' in request && Object.is(value, request.earlyResponse)) early = { response: value };
    else if (answers++ === 0) listener.answered(value);
  }

  function responseRead(value: unknown): unknown {
    if (!early) return value;
    if (!('ending' in early)) early.ending = end(early, value);
    return early.ending;
  }

  function errorWritten(error: unknown): void {
    if (early) answers++;
    early = undefined;
    const before = lastError;
    lastError = error;
    if (errors++ > 0) {
      listener.failedAgain(error, isThrownAgain(error, before));
      return;
    }
    // Middy 6 leaves it there, and would answer with it after the first hook of the error path.
    delete request.earlyResponse;
    listener.failed(error, answers > 1);
  }

  /** Middy awaits what it returns: the chain has ended, but the outcome can still be stored before Lambda freezes. */
  function end(state: Early, outer: unknown): Promise<unknown> {
    const ending = bothEnd(request, listener.endedEarly(state.response), outer, state.response).then((response) => {
      // Code that reads the request after the end finds the response itself.
      state.ending = response;
      return response;
    });
    // Middy returns this promise. A hook that only reads the response does not wait for it.
    ending.catch(() => undefined);
    return ending;
  }
}

/** Middy stores the earlier error as `originalError` of an error that a hook of the error path throws. */
function isThrownAgain(error: unknown, before: unknown): boolean {
  try {
    return isObject(error) && (error === before || ('originalError' in error && error['originalError'] === before));
  } catch {
    return false;
  }
}

/** An early response, and the promise that Middy gets for it. Later `ending` is the response itself. */
interface Early {
  readonly response: unknown;
  ending?: unknown;
}

/** A guard in front of this one ends, too. Neither waits for the other, and the response of the outer guard counts. */
async function bothEnd(
  request: MiddyRequest,
  own: Promise<unknown>,
  outer: unknown,
  response: unknown,
): Promise<unknown> {
  const [mine, others] = await Promise.allSettled([own, isThenable(outer) ? resultOf(request, outer) : outer]);
  if (others.status === 'rejected') throw others.reason;
  if (mine.status === 'rejected') throw mine.reason;
  const unchanged = isThenable(response) ? await resultOf(request, response) : response;
  return Object.is(others.value, unchanged) ? mine.value : others.value;
}

/**
 * The same functions serve all requests. V8 keeps the accessors of an object in its hidden class. Functions made for one
 * request would keep that request in memory until the next full garbage collection.
 */
function accessor(name: Name, written?: 'responseWritten' | 'errorWritten') {
  return {
    enumerable: true,
    configurable: true,
    get(this: Carrier): unknown {
      const { own, watchers, inside } = stateOf(this);
      const property = own[name];
      let value = property?.get ? property.get.call(this) : property?.value;
      if (name === 'response') for (const watcher of watchers) value = watcher.responseRead(value);
      // Middy reads it as an argument of the handler.
      if (name === 'context' && inside) goInside(inside);
      return value;
    },
    set(this: Carrier, value: unknown): void {
      const { own, watchers } = stateOf(this);
      if (own[name]?.set) own[name].set.call(this, value);
      else own[name] = { value };
      if (written) for (const watcher of watchers) watcher[written](value);
    },
  };
}

const ACCESSORS = {
  response: accessor('response', 'responseWritten'),
  error: accessor('error', 'errorWritten'),
  context: accessor('context'),
} as const;
