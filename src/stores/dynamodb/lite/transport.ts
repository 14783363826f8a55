import type { Found } from '../connection.ts';
import { isRetryable, isThrottling, outputOf, type ServiceError } from './answer.ts';
import { type Credentials, type CredentialsProvider, credentialsOf } from './credentials.ts';
import { type EndpointOptions, resolveEndpoint } from './endpoint.ts';
import type { Answer, Exchange, Limits } from './exchange.ts';
import { type Sign, signer } from './sign.ts';

export interface TransportOptions extends EndpointOptions {
  readonly credentials?: Credentials | CredentialsProvider | undefined;
}

/** Limits, clock and chance, passed in so that a test can drive them. */
export interface Surroundings extends Limits {
  /** Tries of a request, the first one included. */
  readonly maxAttempts: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What carries the requests. */
  connect(url: URL, limits: Limits): Exchange;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  delay(millis: number): Promise<unknown>;
}

/** `onSend` is called before the first byte goes out. */
export type Send = (operation: string, input: object, onSend?: () => void) => Promise<Found>;

/** The longest wait before the second try; twice as much before the third. Shorter for what may pass in a moment. */
const BACKOFF_MILLIS = 50;
const THROTTLED_BACKOFF_MILLIS = 500;

/** DynamoDB refuses a request that is five minutes off. */
const MAX_SKEW_MILLIS = 4 * 60_000;
const SKEWED = /^(InvalidSignature|SignatureDoesNotMatch|RequestExpired|RequestInTheFuture|RequestTimeTooSkewed)/;

interface Prepared {
  readonly host: string;
  readonly path: string;
  readonly userAgent: string;
  readonly sign: Sign;
  readonly exchange: Exchange;
}

/** DynamoDB's JSON protocol over HTTPS: one function for every operation. It opens nothing before its first request. */
export function transport(options: TransportOptions, surroundings: Surroundings): Send {
  const { env, now, random, delay, maxAttempts } = surroundings;
  const credentials = credentialsOf(options.credentials, surroundings);
  let prepared: Prepared | undefined;
  /** By how much DynamoDB's clock is ahead of this one. */
  let skewMillis = 0;

  return async (operation, input, onSend) => {
    const body = JSON.stringify(input);
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt(operation, body, onSend);
      } catch (thrown) {
        const error = thrown as ServiceError & { wasSent?: boolean; wasReused?: boolean };
        Object.assign(error, { $metadata: { ...error.$metadata, attempts } });
        if (attempts >= maxAttempts || error.wasSent !== true || !isRetryable(error)) throw error;
        const most = isThrottling(error) ? THROTTLED_BACKOFF_MILLIS : BACKOFF_MILLIS;
        if (error.wasReused !== true) await delay(random() * most * 2 ** (attempts - 1));
      }
    }
  };

  async function attempt(operation: string, body: string, onSend?: () => void): Promise<Found> {
    prepared ??= prepare();
    const { exchange, ...target } = prepared;
    const identity = await credentials();
    const signedAt = now() + skewMillis;
    const headers = headersFor(target, operation, body, identity, signedAt);
    onSend?.();
    let answer: Answer | undefined;
    try {
      answer = await exchange(headers, body);
      return outputOf(answer);
    } catch (error) {
      const failure = error as Error & { code?: unknown };
      // Credentials with a line break, for example: Node refuses the header before anything is sent.
      if (!answer && failure.code === 'ERR_INVALID_CHAR') throw Object.assign(failure, { name: 'EndpointError' });
      throw Object.assign(failure, { wasSent: true }, correctSkew(failure, answer, signedAt));
    }
  }

  function prepare(): Prepared {
    const { url, region } = resolveEndpoint(options, env);
    const sign = signer({ region, service: 'dynamodb' });
    const userAgent = `middy-idempotency nodejs/${process.versions.node} ${env['AWS_EXECUTION_ENV'] ?? ''}`.trim();
    return { host: url.host, path: url.pathname, userAgent, sign, exchange: surroundings.connect(url, surroundings) };
  }

  function headersFor(
    { host, path, userAgent, sign }: Omit<Prepared, 'exchange'>,
    operation: string,
    body: string,
    identity: Credentials,
    signedAt: number,
  ): Record<string, string> {
    const date = new Date(signedAt).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const { sessionToken } = identity;
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      host,
      'x-amz-date': date,
      ...(sessionToken && { 'x-amz-security-token': sessionToken }),
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    };
    const traceId = traceIdOf(env);
    return {
      ...headers,
      authorization: sign({ path, headers, body }, identity, date),
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': userAgent,
      ...(traceId && { 'x-amzn-trace-id': traceId }),
    };
  }

  /**
   * The clock of this process is wrong, or the process was frozen after it had signed. DynamoDB has said what time it is, and
   * the next try will be right.
   */
  function correctSkew(error: Error, answer: Answer | undefined, signedAt: number): object {
    const time = Date.parse(answer?.headers.date ?? '');
    if (!SKEWED.test(error.name) || !(Math.abs(time - signedAt) >= MAX_SKEW_MILLIS)) return {};
    skewMillis = time - now();
    return { $retryable: {} };
  }
}

/** Of the invocation: of this one, where a process runs several at a time. */
function traceIdOf(env: Surroundings['env']): string | undefined {
  if (!env['AWS_LAMBDA_FUNCTION_NAME']) return undefined;
  const { awslambda } = globalThis as { awslambda?: { InvokeStore?: { getXRayTraceId?(): string | undefined } } };
  return awslambda?.InvokeStore?.getXRayTraceId?.() ?? env['_X_AMZN_TRACE_ID'];
}
