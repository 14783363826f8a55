import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { LambdaFunction } from '../../infra/local/server.ts';
import { createContext } from '../../tools/context.ts';
import type { Random } from '../lib/random.ts';
import type { Moved } from './verdict.ts';

const AT_ONCE = 16;
/** Which part of the payments is followed by a request of before, sent once more. */
const RETRIED = 0.1;

const MAX_ATTEMPTS = 40;
const RETRY_MILLIS = 1000;
/** Another request has the record, or still runs, or the outcome of this one is unknown. */
const AGAIN = [409, 500, 503];

const CURRENCIES = ['EUR', 'USD', 'JPY'];

export interface PayersOptions {
  readonly lambda: LambdaFunction;
  /** How many payments and refunds together. */
  readonly events: number;
  /** Of which part of the payments something goes back. */
  readonly refunded: number;
  /** Which part of the requests comes first under a key that another request had before. */
  readonly reused: number;
  readonly random: Random;
  /** Gets everything that was answered with 201. */
  readonly onMoved: (moved: Moved) => void;
  readonly signal: AbortSignal;
}

/** How often a key came again with another request, and what became of it. */
export interface Reuses {
  /** The record of the other one was there: 422. */
  refused: number;
  /** It had vanished. */
  accepted: number;
}

interface Request {
  readonly path: string;
  readonly body: object;
}

interface Made extends Request {
  readonly id: string;
  /** The text of the answer that is stored, if any is. */
  text: string;
}

/** A key, and everything that was made under it. */
interface UsedKey {
  readonly key: string;
  readonly made: Made[];
  /** Whether it came with another request than the first one, so that the record may be that one's. */
  isReused: boolean;
}

/**
 * Clients that pay, get a part back, and send requests again, some of them much later. They also take keys of other requests: a key
 * has one client at a time. @throws Error where a request is not answered as it must be
 */
export async function pay({
  lambda,
  events,
  refunded,
  reused,
  random,
  onMoved,
  signal,
}: PayersOptions): Promise<Reuses> {
  const reuses: Reuses = { refused: 0, accepted: 0 };
  const used: UsedKey[] = [];
  let left = events;
  const client = async () => {
    while (left-- > 0 && !signal.aborted) {
      if (random.next() < RETRIED) await retry();
      const amount = random.between(1, 100_000);
      const currency = CURRENCIES[random.between(0, CURRENCIES.length - 1)] ?? 'EUR';
      const body = { amount, currency, source: 'tok_visa', metadata: { order: randomUUID() } };
      const { id: payment, chargeId: charge } = await post({ path: '/payments', body });
      const of = { payment: String(payment), charge: String(charge), currency };
      onMoved({ type: 'payment-captured', ...of, amount });
      if (random.next() >= refunded || left-- <= 0) continue;
      const back = random.between(1, amount);
      await post({ path: `/payments/${payment}/refunds`, body: { amount: back } });
      onMoved({ type: 'payment-refunded', ...of, amount: back });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return reuses;

  async function post(request: Request): Promise<Readonly<Record<string, unknown>>> {
    const known = random.next() < reused ? take() : undefined;
    if (known !== undefined) {
      known.isReused = true;
      const accepted = await make(known, request);
      reuses[accepted === undefined ? 'refused' : 'accepted']++;
      if (accepted !== undefined) return accepted;
    }
    const made = await make({ key: randomUUID(), made: [], isReused: false }, request);
    if (made === undefined) throw new Error(`${request.path} was refused under a new key`);
    return made;
  }

  /** @returns what was made. undefined: the key is refused, as that of another request */
  async function make(of: UsedKey, request: Request): Promise<Readonly<Record<string, unknown>> | undefined> {
    const answer = await send(of.key, request);
    used.push(of);
    if (answer.statusCode !== 201) return undefined;
    const text = answer.body ?? '';
    const made = JSON.parse(text);
    if (of.made.some(({ id }) => id === made.id)) {
      throw new Error(`${request.path} was answered with that of another request: ${text}`);
    }
    of.made.push({ ...request, id: made.id, text });
    return made;
  }

  /** A request of before, by the key that it had: it makes nothing new. */
  async function retry(): Promise<void> {
    const of = take();
    const request = of?.made[random.between(0, of.made.length - 1)];
    if (of === undefined || request === undefined) return;
    const { statusCode, headers, body = '' } = await send(of.key, request);
    used.push(of);
    if (statusCode === 422 && of.isReused) return;
    const isReplay = headers?.['Idempotent-Replayed'] !== undefined;
    const isSame = isReplay ? body === request.text : JSON.parse(body).id === request.id;
    // Without the record, the client and later retries get the payment as it is now.
    request.text = body;
    if (!isSame) throw new Error(`a retry of ${request.path} was answered with ${statusCode}: ${body}`);
  }

  /** Of refunds every second time: their keys are the ones that may come again for another payment. */
  function take(): UsedKey | undefined {
    const refunds = used.filter(({ made }) => made.some(({ path }) => path !== '/payments'));
    const from = random.next() < 0.5 && refunds.length > 0 ? refunds : used;
    const taken = from[random.between(0, from.length - 1)];
    if (taken !== undefined) used.splice(used.indexOf(taken), 1);
    return taken;
  }

  /** What could not be answered is asked again with the same key, as a client does. */
  async function send(key: string, { path, body }: Request): Promise<APIGatewayProxyStructuredResultV2> {
    for (let attempt = 1; ; attempt++) {
      const context = createContext(randomUUID(), { functionName: 'payments', timeoutMillis: 30_000 });
      const answer = (await lambda(eventOf(path, key, body), context)) as APIGatewayProxyStructuredResultV2;
      const { statusCode = 0 } = answer;
      if (statusCode === 201 || statusCode === 422) return answer;
      if (!AGAIN.includes(statusCode) || attempt === MAX_ATTEMPTS) {
        throw new Error(`${path} was answered with ${statusCode}: ${answer.body}`);
      }
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
