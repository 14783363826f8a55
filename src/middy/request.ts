import { isThenable, outcomeOf } from './thenable.ts';

/** What this package uses of Middy's request (`@middy/core` 6 and 7). */
export interface MiddyRequest<TEvent = unknown, TContext = unknown> {
  event: TEvent;
  context: TContext;
  response: unknown;
  earlyResponse?: unknown;
  error: unknown;
}

export interface RequestListener {
  /** The first answer after this guard's `before`: the handler's, or that of Middy's early timeout. */
  answered(response: unknown): void;
  /** The error path begins. `answered`: the handler had answered before, so that a hook after it threw. */
  failed(error: unknown, answered: boolean): void;
  /** Another error takes its place. `ended`: a hook of the error path threw, so that no other is called; else one replaced it. */
  failedAgain(error: unknown, ended: boolean): void;
  /** A hook has ended the chain with this response, so that our own hooks are skipped. The answer is what Middy gets. */
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
      // It has ended only when it is read next. When `error` is written next, this was the reset by the error path.
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
      // Middy 6 leaves it there, and would answer with it after the first hook of the error path: ours, maybe.
      delete request.earlyResponse;
      listener.failed(error, answers > 1);
    },
    read: (value) => value,
  });

  /** Middy awaits what it returns: the chain has ended, but the outcome can still be stored before Lambda freezes. */
  function end(state: Early, outer: unknown): Promise<unknown> {
    const ending = bothEnd(listener.endedEarly(state.response), outer, state.response).then((response) => {
      // Whoever looks at the request after the end finds the response itself.
      state.ending = response;
      return response;
    });
    // Middy returns it; a hook that has merely looked at the response does not.
    ending.catch(() => undefined);
    return ending;
  }
}

/** Middy leaves the error before at one that a hook of the error path throws, unless it is the same. */
function isThrownAgain(error: unknown, before: unknown): boolean {
  try {
    if (typeof error !== 'object' || error === null) return false;
    return error === before || ('originalError' in error && error.originalError === before);
  } catch {
    return false;
  }
}

/** An early response, and the promise that Middy is given for it; once that is kept, the response itself. */
interface Early {
  readonly response: unknown;
  ending?: unknown;
}

/** A guard in front of this one ends, too: neither waits for the other, and its answer is the last. */
async function bothEnd(own: Promise<unknown>, outer: unknown, response: unknown): Promise<unknown> {
  const [mine, others] = await Promise.allSettled([own, isThenable(outer) ? outcomeOf(outer) : outer]);
  if (others.status === 'rejected') throw others.reason;
  if (mine.status === 'rejected') throw mine.reason;
  const unchanged = isThenable(response) ? await outcomeOf(response) : response;
  return Object.is(others.value, unchanged) ? mine.value : others.value;
}

type Name = 'response' | 'error';

/** What stands behind a property of one request. */
interface Slot {
  get(): unknown;
  set(value: unknown): void;
}

type Carrier = { [slot: symbol]: Slot };

/**
 * The same two functions for all requests: V8 keeps the accessors of an object in its hidden class, and with functions made for
 * a request all of that request, until it next collects everything.
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
  // Another guard of the same request may watch already: it goes on seeing everything.
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
