import express, { type Request } from 'express';
import type { IdempotencyHandle } from 'middy-idempotency';

export const ORIGIN = 'https://shop.example.com';

/** An app of Express. `handleOf` finds the handle of the request that is being served. */
export function paymentsApp(
  handleOf: (request: Request) => IdempotencyHandle | undefined,
  charge: (amount: number, key: string | undefined) => Promise<string>,
) {
  const app = express();
  app.use((request, response, next) => {
    response.set({
      'Access-Control-Allow-Origin': ORIGIN,
      'Access-Control-Allow-Headers': 'Content-Type, Idempotency-Key',
    });
    if (request.method === 'OPTIONS') response.sendStatus(204);
    else next();
  });
  app.use(express.json());
  app.post('/payments', async (request, response) => {
    const id = await charge(request.body.amount, handleOf(request)?.deriveKey('charge'));
    response.status(201).json({ id });
  });
  return app;
}
