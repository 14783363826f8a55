/** What this package uses of Middy's request (`@middy/core` 6 and 7). */
export interface MiddyRequest<TEvent = unknown, TContext = unknown> {
  event: TEvent;
  context: TContext;
  // biome-ignore lint/suspicious/noExplicitAny: as Middy has it; any other type would not be assignable to its own
  response: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  earlyResponse?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  error: any;
}

export interface RequestListener {
  /** The first answer after this guard's `before`: the handler's, or that of Middy's early timeout. */
  answered(response: unknown): void;
  /** The error path begins. `answered`: the handler had answered before, so that a hook after it threw. */
  failed(error: unknown, answered: boolean): void;
  /** Another error takes its place: a hook of the error path threw, or replaced it. */
  failedAgain(error: unknown): void;
  /** A hook has ended the chain with this response, so that our own hooks are skipped. The answer is what Middy gets. */
  endedEarly(response: unknown): Promise<unknown>;
}

/**
 * Watches what Middy assigns to the request. The hooks alone do not tell whether an error comes from the handler or
 * from a hook after it, and they are skipped when another hook answers early or throws on the error path.
 *
 * Middy assigns `response` once with the handler's answer, once with `undefined` when its error path begins (then
 * `error`), and once with an early response, which it then returns to its caller without another hook.
 */
export function watchRequest(request: MiddyRequest, listener: RequestListener): void {
  let answers = 0;
  let errors = 0;
  let early: { response: unknown } | undefined;

  intercept(request, 'response', {
    written(value, outer) {
      if ('earlyResponse' in request) early = { response: endEarly(value, outer) };
      // Where the handler threw, the first assignment is the reset by the error path; `error` follows at once.
      else if (answers++ === 0) listener.answered(value);
    },
    read: (value) => (early === undefined ? value : early.response),
  });
  intercept(request, 'error', {
    written(error) {
      if (errors++ === 0) listener.failed(error, answers > 1);
      else listener.failedAgain(error);
    },
    read: (value) => value,
  });

  /** Middy awaits what it returns: the chain has ended, but the outcome can still be stored before Lambda freezes. */
  function endEarly(value: unknown, outer: unknown): Promise<unknown> {
    const ending = Promise.all([listener.endedEarly(value), outer]).then(([response]) => {
      // Whoever looks at the request after the end finds the response itself.
      early = { response };
      return response;
    });
    return ending;
  }
}

function intercept(
  request: MiddyRequest,
  name: 'response' | 'error',
  { written, read }: { written(value: unknown, outer: unknown): void; read(value: unknown): unknown },
): void {
  // Another guard of the same request may watch already: it goes on seeing everything.
  const inner = Object.getOwnPropertyDescriptor(request, name);
  let current: unknown = request[name];
  const get = inner?.get === undefined ? () => current : () => inner.get?.call(request);
  const set =
    inner?.set === undefined
      ? (value: unknown) => (current = value)
      : (value: unknown) => inner.set?.call(request, value);
  Object.defineProperty(request, name, {
    enumerable: true,
    configurable: true,
    get: () => read(get()),
    set(value: unknown) {
      set(value);
      written(value, get());
    },
  });
}
