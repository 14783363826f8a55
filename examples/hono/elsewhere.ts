import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { RecordStore } from 'middy-idempotency';
import { type IdempotencyVariables, idempotent } from './idempotent.ts';

interface Variables extends IdempotencyVariables {
  user: string;
}

/** CORS first, so that a problem has its headers. Then authentication: a replay is for the caller that it belongs to. */
export function honoElsewhere(
  store: RecordStore,
  userOf: (authorization: string) => Promise<string | undefined>,
  charge: (amount: number, key: string | undefined) => Promise<string>,
) {
  const app = new Hono<{ Variables: Variables }>();
  app.use(
    cors({ origin: 'https://shop.example.com', allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key'] }),
  );
  app.use(async (c, next) => {
    const user = await userOf(c.req.header('authorization') ?? '');
    if (user === undefined) return c.text('Unauthorized', 401);
    c.set('user', user);
    return next();
  });
  app.use('/payments', idempotent({ store, operation: 'create-payment', scope: (_request, c) => c.get('user') }));
  app.post('/payments', async (c) => {
    const { amount } = await c.req.json<{ amount: number }>();
    const id = await charge(amount, c.get('idempotency')?.deriveKey('charge'));
    return c.json({ id }, 201);
  });
  return app;
}
