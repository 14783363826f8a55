import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type GuardedContext, type IdempotencyHandle, type IdempotentFunction, idempotent } from 'middy-idempotency';
import { type HttpIdempotencyOptions, httpIdempotency } from 'middy-idempotency/http';
import type { Payment } from './payment.ts';
import type { Order, Ports } from './ports.ts';

/** The same payment with a classic mistake, eight times. A test that calls it once, or twice, finds none of them. */

const api = (store: Ports['store'], options: Partial<HttpIdempotencyOptions<APIGatewayProxyEventV2, Order>> = {}) =>
  middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Error, GuardedContext<Order>>().use(
    httpIdempotency({ store, operation: 'pay', scope: 'anonymous', ...options }),
  );

const orderOf = ({ body = '' }: APIGatewayProxyEventV2): Order => JSON.parse(body);
const created = (body: unknown) => ({ statusCode: 201, body: JSON.stringify(body) });

/** The charge comes before the guard: a duplicate is charged, and then refused. */
export function effectBeforeGuard({ store, processor }: Ports) {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .before(async ({ event }) => void (await processor.charge(orderOf(event))))
    .use(httpIdempotency({ store, operation: 'pay', scope: 'anonymous' }))
    .handler(async () => created({}));
}

/** Each retry has another key: it is another request. */
export function keyFromTimestamp({ store, processor }: Ports): IdempotentFunction<[Order], unknown> {
  return idempotent(
    (order: Order, { deriveKey }: IdempotencyHandle<Order>) => processor.charge(order, deriveKey('charge')),
    {
      store,
      operation: 'pay',
      key: (order) => `${order.id}-${Date.now()}`,
      passHandle: true,
    },
  );
}

/** The processor gets another key from each attempt: it cannot recognise the charge. */
export function randomKey({ store, processor }: Ports): Payment {
  return api(store).handler(async (event) => created(await processor.charge(orderOf(event), randomUUID())));
}

/** A crash at the charge lets the next attempt send the receipt again. */
export function twoEffectsWithoutSteps({ store, processor, receipts }: Ports): Payment {
  return api(store).handler(async (event, { idempotency: { deriveKey } }) => {
    await receipts.send(orderOf(event));
    return created(await processor.charge(orderOf(event), deriveKey('charge')));
  });
}

/** The caller gets 201, and was not charged. */
export function swallowedError({ store, processor }: Ports): Payment {
  return api(store).handler(async (event, { idempotency: { deriveKey } }) => {
    try {
      await processor.charge(orderOf(event), deriveKey('charge'));
    } catch {
      // Logged, perhaps.
    }
    return created({});
  });
}

/** The refusal of a moment is the answer for ever. */
export function settleStoresUnavailable({ store, processor }: Ports): Payment {
  return api(store, { settle: () => 'store' }).handler(async (event, { idempotency: { deriveKey } }) => {
    try {
      return created(await processor.charge(orderOf(event), deriveKey('charge')));
    } catch {
      return { statusCode: 503 };
    }
  });
}

/** The hook runs before the outcome is stored: an attempt that dies in between runs it again. */
export function effectInAfterHook({ store, processor, receipts }: Ports): Payment {
  return api(store)
    .after(async ({ event }) => receipts.send(orderOf(event)))
    .handler(async (event, { idempotency: { deriveKey } }) =>
      created(await processor.charge(orderOf(event), deriveKey('charge'))),
    );
}

/** The outcome is stored with the order. If the process dies then, no retry publishes it. */
export function publisherBesideTransaction({ store, publisher }: Ports): Payment {
  return api(store).handler(async (event, { idempotency: { deriveKey, transact } }) => {
    const response = created(orderOf(event));
    await transact([orderOf(event)], response);
    await publisher.publish(orderOf(event), deriveKey('publish'));
    return response;
  });
}
