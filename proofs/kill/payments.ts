import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createPaymentsHandler } from '../../infra/payments/api.ts';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import type { Processor } from '../../infra/payments/processor.ts';
import { IdempotencyError } from '../../src/index.ts';
import { createContext } from '../../tools/context.ts';
import { type Guarded, INVOCATION, type Surroundings } from './guarding.ts';
import type { Order } from './terms.ts';
import type { World } from './world.ts';

interface HttpRequest {
  /** @default 'POST' */
  readonly method?: string;
  readonly path: string;
  readonly key: string;
  readonly body?: object;
}

/** The example Lambda, with a processor that outlives it. */
export function createPayment(s: Surroundings): Guarded {
  const send = paymentsApi(s);
  return { pay: (order) => send(paymentOf(order)) };
}

/** A refund of a payment that was made before. */
export function createRefund(s: Surroundings): Guarded {
  const send = paymentsApi(s);
  return {
    prepare: async (order) => JSON.parse((await send(paymentOf(order))).body).id,
    pay: ({ id }) =>
      send({ path: `/payments/${JSON.parse(s.prepared)}/refunds`, key: `${id} refund`, body: { amount: 500 } }),
  };
}

/** Of a payment that was authorized before. */
export function voidPayment(s: Surroundings): Guarded {
  const send = paymentsApi(s);
  return {
    prepare: async (order) => JSON.parse((await send(paymentOf(order, { capture: false }))).body).id,
    pay: ({ id }) => send({ method: 'DELETE', path: `/payments/${JSON.parse(s.prepared)}`, key: `${id} void` }),
  };
}

function paymentOf({ id }: Order, more: object = {}): HttpRequest {
  const body = { amount: 1999, currency: 'EUR', source: 'tok_visa', metadata: { order: id }, ...more };
  return { path: '/payments', key: id, body };
}

function paymentsApi({ store, client, tables, world }: Surroundings) {
  const payments = dynamoDBPayments({ tableName: tables.payments, client });
  const handler = createPaymentsHandler({ store, payments, processor: processorIn(world), scope: 'anonymous' });
  return async (request: HttpRequest) =>
    readAnswer(await handler(eventOf(request), createContext('request', INVOCATION)));
}

function processorIn(world: World): Processor {
  return {
    async charge({ capture }, key) {
      const { id, at } = await world.happen('charge', key);
      return { status: capture ? 'succeeded' : 'authorized', id, createdAt: at };
    },
    async refund(_, __, key) {
      await world.happen('payout', key);
    },
    async release(_, key) {
      await world.happen('release', key);
    },
  };
}

/** What a client may compare: the mark of a replay is no part of the response. @throws IdempotencyError for a 409 in flight */
function readAnswer({ statusCode = 200, headers = {}, body = '' }: APIGatewayProxyStructuredResultV2) {
  if (statusCode === 409 && body.includes('/in-flight"')) throw new IdempotencyError('IN_FLIGHT', body);
  const { 'Idempotent-Replayed': _, ...rest } = headers;
  return { statusCode, headers: rest, body };
}

function eventOf({ method = 'POST', path, key, body }: HttpRequest): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': `"${key}"` },
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: '' },
      requestId: 'request',
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 0,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
