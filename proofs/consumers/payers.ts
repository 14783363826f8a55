import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { LambdaFunction } from '../../infra/local/server.ts';
import { createContext } from '../../tools/context.ts';
import type { Random } from '../lib/random.ts';
import type { Moved } from './verdict.ts';

const AT_ONCE = 16;
/** Of a hundred: payments of which a part goes back, and requests that are sent a second time. */
const REFUNDED = 10;
const RETRIED = 5;

const MAX_ATTEMPTS = 40;
const RETRY_MILLIS = 1000;

const CURRENCIES = ['EUR', 'USD', 'JPY'];

export interface PayersOptions {
  readonly lambda: LambdaFunction;
  /** How many payments and refunds together. */
  readonly events: number;
  readonly random: Random;
  /** Gets everything that was answered with 201. */
  readonly onMoved: (moved: Moved) => void;
  readonly signal: AbortSignal;
}

/** Clients that pay, get a part back, and now and then send a request again. @throws Error where a request is not answered with 201 in the end */
export async function pay({ lambda, events, random, onMoved, signal }: PayersOptions): Promise<void> {
  let left = events;
  const client = async () => {
    while (left-- > 0 && !signal.aborted) {
      const amount = random.between(1, 100_000);
      const currency = CURRENCIES[random.between(0, CURRENCIES.length - 1)] ?? 'EUR';
      const payment = String((await post('/payments', { amount, currency, source: 'tok_visa' }))['id']);
      onMoved({ type: 'payment-captured', payment, amount, currency });
      if (random.between(1, 100) > REFUNDED || left-- <= 0) continue;
      const refund = random.between(1, amount);
      await post(`/payments/${payment}/refunds`, { amount: refund });
      onMoved({ type: 'payment-refunded', payment, amount: refund, currency });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));

  async function post(path: string, body: object): Promise<Record<string, unknown>> {
    const key = randomUUID();
    const first = await send(path, key, body);
    if (random.between(1, 100) <= RETRIED) {
      const again = await send(path, key, body);
      if (again.body !== first.body) throw new Error(`a retry of ${path} was answered with ${again.body}`);
    }
    return JSON.parse(first.body ?? '');
  }

  /** What could not be answered on a busy machine is asked again with the same key, as a client does. */
  async function send(path: string, key: string, body: object): Promise<APIGatewayProxyStructuredResultV2> {
    for (let attempt = 1; ; attempt++) {
      const context = createContext(randomUUID(), { functionName: 'payments', timeoutMillis: 30_000 });
      const answer = (await lambda(eventOf(path, key, body), context)) as APIGatewayProxyStructuredResultV2;
      if (answer.statusCode === 201) return answer;
      const isToBeAskedAgain = [409, 500, 503].includes(answer.statusCode ?? 0) && attempt < MAX_ATTEMPTS;
      if (!isToBeAskedAgain) throw new Error(`${path} was answered with ${answer.statusCode}: ${answer.body}`);
      await sleep(RETRY_MILLIS, undefined, { signal });
    }
  }
}

/** Payload format 2.0. */
function eventOf(rawPath: string, key: string, body: object): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method: 'POST', path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'payer' },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: '25/Nov/2026:12:00:00 +0000',
      timeEpoch: 1_795_600_000_000,
    },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}
