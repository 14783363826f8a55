import middy from '@middy/core';
import { Hono } from 'hono';
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { cors } from 'hono/cors';
import type { IdempotencyContext, RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';

const ORIGIN = 'https://shop.example.com';

interface Bindings {
  /** The handle is there for the methods that are guarded. */
  readonly lambdaContext: LambdaContext & Pick<IdempotencyContext, 'idempotency'>;
}

/** The guard is around the app: it reads the event of Lambda, and stores the response as Lambda sends it. */
export function honoOnLambda(store: RecordStore, charge: (amount: number, key: string | undefined) => Promise<string>) {
  const app = new Hono<{ Bindings: Bindings }>();
  app.use(cors({ origin: ORIGIN, allowHeaders: ['Content-Type', 'Idempotency-Key'] }));
  app.post('/payments', async (c) => {
    const { amount } = await c.req.json<{ amount: number }>();
    const id = await charge(amount, c.env.lambdaContext.idempotency?.deriveKey('charge'));
    return c.json({ id }, 201);
  });

  return middy<LambdaEvent>()
    .use(
      httpIdempotency<LambdaEvent>({
        store,
        operation: 'create-payment',
        // The app does not run for a problem. Without this, a browser could not read it.
        problemHeaders: () => ({ 'Access-Control-Allow-Origin': ORIGIN }),
      }),
    )
    .handler(handle(app));
}
