import type { HttpEventShape, HttpRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A response as each of the event shapes takes it. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** Of the message, not of the resource: a replay is another message. */
export const DEFAULT_DROPPED_HEADERS: readonly string[] = [
  'date',
  'set-cookie',
  'traceparent',
  'tracestate',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'x-request-id',
  'x-correlation-id',
];

const REPLAYED_HEADER = 'Idempotent-Replayed';

/** A response in the form that the event asks for: ALB wants headers with multiple values where it has sent them. */
export function responseFor(
  { shape, multiValue }: Pick<HttpRequest, 'shape' | 'multiValue'>,
  statusCode: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): HttpResponse {
  const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));
  return {
    statusCode,
    ...(multiValue ? { multiValueHeaders: lists } : { headers }),
    body,
    ...(shape !== 'v2' && { isBase64Encoded: false }),
  };
}

/** What is stored of a response: without the headers that belong to its message alone. */
export function withoutHeaders(response: unknown, shape: HttpEventShape, dropped: ReadonlySet<string>): unknown {
  const normal = normalised(response, shape);
  if (!isObject(normal)) return normal;
  const { cookies, headers, multiValueHeaders, ...rest } = normal;
  const keep = ([name]: [string, unknown]) => !dropped.has(name.toLowerCase());
  return {
    ...rest,
    ...(isObject(headers) && { headers: Object.fromEntries(Object.entries(headers).filter(keep)) }),
    ...(isObject(multiValueHeaders) && {
      multiValueHeaders: Object.fromEntries(Object.entries(multiValueHeaders).filter(keep)),
    }),
    ...(cookies !== undefined && !dropped.has('set-cookie') && { cookies }),
  };
}

/** The stored response, marked as a replay. */
export function asReplay(response: unknown, { multiValue }: Pick<HttpRequest, 'multiValue'>): unknown {
  if (!isObject(response) || response['statusCode'] === undefined) return response;
  const { headers, multiValueHeaders } = response;
  // Where both are given, the gateway merges them; an ALB with multi-value headers takes only the lists.
  return multiValue
    ? { ...response, multiValueHeaders: { ...asObject(multiValueHeaders), [REPLAYED_HEADER]: ['true'] } }
    : { ...response, headers: { ...asObject(headers), [REPLAYED_HEADER]: 'true' } };
}

export function statusOf(response: unknown): number {
  const status = isObject(response) ? Number(response['statusCode'] ?? 200) : 200;
  return Number.isNaN(status) ? 200 : status;
}

/**
 * In format 2.0, a value without `statusCode` is the body of a 200 (AWS: "Create AWS Lambda proxy integrations for HTTP
 * APIs", response format). Written out, it has headers, so that a replay can be marked.
 */
function normalised(response: unknown, shape: HttpEventShape): unknown {
  if (shape !== 'v2' || (isObject(response) && response['statusCode'] !== undefined)) return response;
  const body = typeof response === 'string' ? response : JSON.stringify(response);
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, ...(body !== undefined && { body }) };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Fields {
  return isObject(value) ? value : {};
}
