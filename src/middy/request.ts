import { isThenable, type Thenable } from './thenable.ts';

/** What this package uses of Middy's request (`@middy/core` 6 and 7). */
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
  /** What has been begun to wait for. The `then` of a query sends it: it must be called once. */
  readonly begun: Map<Thenable, Promise<unknown>>;
  /** The error or the response by which a guard has rejected the request. */
  rejection?: unknown;
}

const STATE = Symbol.for('middy-idempotency.state');

export function stateOf(request: MiddyRequest): RequestState {
  const carrier = request as { [STATE]?: RequestState };
  carrier[STATE] ??= { runs: new Map(), begun: new Map() };
  return carrier[STATE];
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
 * Watches what Middy does with the request. The hooks alone do not tell whether an error comes from the handler or from
 * a hook after it, and they are skipped when another hook answers early or throws on the error path.
 *
 * Middy assigns `response` once with the handler's answer; once with `undefined` when its error path begins, followed by
 * `error`; and once with an early response, which it then reads and returns without another hook.
 */
export function watchRequest(request: MiddyRequest, listener: RequestListener): void {
  let answers = 0;
  let errors = 0;
  let lastError: unknown;
  let early: Early | undefined;

  intercept(request, 'response', {
    written(value) {
      early = undefined;
      // The chain has ended if Middy reads the response next. If it writes `error` next, the error path has begun.
      if ('earlyResponse' in request && Object.is(value, request.earlyResponse)) early = { response: value };
      else if (answers++ === 0) listener.answered(value);
    },
    read(value) {
      if (early === undefined) return value;
      if (!('ending' in early)) early.ending = end(early, value);
      return early.ending;
    },
  });
  intercept(request, 'error', {
    written(error) {
      if (early !== undefined) answers++;
      early = undefined;
      const before = lastError;
      lastError = error;
      if (errors++ > 0) return listener.failedAgain(error, isThrownAgain(error, before));
      // Middy 6 leaves it there, and would answer with it after the first hook of the error path.
      delete request.earlyResponse;
      listener.failed(error, answers > 1);
    },
    read: (value) => value,
  });

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
    if (typeof error !== 'object' || error === null) return false;
    return error === before || ('originalError' in error && error.originalError === before);
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

type Name = 'response' | 'error';

/** The value behind a property of one request. */
interface Slot {
  get(): unknown;
  set(value: unknown): void;
}

type Carrier = { [slot: symbol]: Slot };

/**
 * The same two functions serve all requests. V8 keeps the accessors of an object in its hidden class. Functions made for one
 * request would keep that request in memory until the next full garbage collection.
 */
function accessor(name: Name) {
  const key = Symbol(name);
  return {
    key,
    descriptor: {
      enumerable: true,
      configurable: true,
      get(this: Carrier): unknown {
        return this[key]?.get();
      },
      set(this: Carrier, value: unknown): void {
        this[key]?.set(value);
      },
    },
  };
}

const ACCESSORS = { response: accessor('response'), error: accessor('error') } as const;

function intercept(
  request: MiddyRequest,
  name: Name,
  { written, read }: { written(value: unknown): void; read(value: unknown): unknown },
): void {
  const { key, descriptor } = ACCESSORS[name];
  const carrier = request as unknown as Carrier;
  // Another guard may watch the same request already. It goes on seeing every write.
  const inner = slotOf(request, name, carrier[key]);
  carrier[key] = {
    get: () => read(inner.get()),
    set(value) {
      inner.set(value);
      written(value);
    },
  };
  Object.defineProperty(request, name, descriptor);
}

function slotOf(request: MiddyRequest, name: Name, slot: Slot | undefined): Slot {
  const existing = Object.getOwnPropertyDescriptor(request, name);
  if (slot !== undefined && existing?.get === ACCESSORS[name].descriptor.get) return slot;
  let current: unknown = request[name];
  if (existing?.get === undefined) {
    return {
      get: () => current,
      set(value) {
        current = value;
      },
    };
  }
  return { get: () => existing.get?.call(request), set: (value) => existing.set?.call(request, value) };
}
