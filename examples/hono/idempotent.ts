import type { Context, MiddlewareHandler } from 'hono';
import { idempotentRoute, type RouteHandle, type RouteOptions } from 'middy-idempotency/fetch';

/** What the middleware sets: `c.get('idempotency')` is the handle, `undefined` for a method that is not guarded. */
export interface IdempotencyVariables {
  idempotency: RouteHandle | undefined;
}

/** A middleware of Hono, wherever it runs. Use it behind CORS and authentication, and in front of what reads the body. */
export function idempotent(
  options: RouteOptions<[c: Context]>,
): MiddlewareHandler<{ Variables: IdempotencyVariables }> {
  const guard = idempotentRoute<[c: Context]>(options);
  return async (c, next) => {
    c.res = await guard(
      c.req.raw,
      async (handle) => {
        c.set('idempotency', handle);
        await next();
        const made = c.res;
        // Hono adds the headers of the response before. They must not mix with those of another execution.
        c.res = undefined;
        return made;
      },
      c,
    );
  };
}
