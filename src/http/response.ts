import { isStreaming } from '../core/record/outcome.ts';
import { isPlainObject } from '../request-key/data.ts';
import type { HttpEventShape, HttpRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

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

/** The response in the form that the event asks for: ALB wants headers with multiple values where it has sent them. */
export function inKind(response: unknown, { multiValue }: Pick<HttpRequest, 'multiValue'>): unknown {
  if (!multiValue || !isObject(response)) return response;
  const { headers, multiValueHeaders, ...rest } = response;
  const lists = Object.entries(asObject(headers)).map(([name, value]) => [name, [asText(value)]]);
  return { ...rest, multiValueHeaders: { ...Object.fromEntries(lists), ...asObject(multiValueHeaders) } };
}

/** An object has no text, and an ALB no use for it: it is left for the ALB to refuse, the first time and again. */
function asText(value: unknown): unknown {
  return typeof value === 'object' ? value : String(value);
}

/** What Lambda sends of a response that speaks for itself, or whose headers do. */
function asSent(response: unknown): unknown {
  if (!isObject(response) || isStreaming(response)) return response;
  if ([response, response['headers'], response['multiValueHeaders']].every(isAsItIs)) return response;
  const json = JSON.stringify(response);
  return json === undefined ? undefined : JSON.parse(json);
}

function isAsItIs(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (isPlainObject(value) && !('toJSON' in value));
}

/** What is stored of a response: without the headers that belong to its message alone. */
export function withoutHeaders(response: unknown, shape: HttpEventShape, dropped: ReadonlySet<string>): unknown {
  const normal = normalised(asSent(response), shape);
  if (!isObject(normal)) return normal;
  const { cookies, headers: _single, multiValueHeaders: _lists, ...rest } = normal;
  return {
    ...rest,
    ...headersOf(normal, (name) => !dropped.has(name)),
    ...(cookies !== undefined && !dropped.has('set-cookie') && { cookies }),
  };
}

/** The stored response, marked as a replay. */
export function asReplay(response: unknown, http: Pick<HttpRequest, 'multiValue'>): unknown {
  if (!isObject(response) || response['statusCode'] === undefined) return response;
  const others = headersOf(response, (name) => name !== REPLAYED_HEADER.toLowerCase());
  return inKind({ ...response, ...others, headers: { ...others.headers, [REPLAYED_HEADER]: 'true' } }, http);
}

/** Its headers of both kinds, as far as there are any, whose names in lower case are to be kept. */
function headersOf({ headers, multiValueHeaders }: Fields, keep: (name: string) => boolean) {
  const kept = (all: Fields): Fields =>
    Object.fromEntries(Object.entries(all).filter(([name]) => keep(name.toLowerCase())));
  return {
    ...(isObject(headers) && { headers: kept(headers) }),
    ...(isObject(multiValueHeaders) && { multiValueHeaders: kept(multiValueHeaders) }),
  };
}

export function statusOf(answer: unknown): number {
  const response = asSent(answer);
  const status = isObject(response) ? Number(response['statusCode'] ?? 200) : 200;
  return Number.isNaN(status) ? 200 : status;
}

/**
 * In format 2.0, a value without `statusCode` is the body of a 200 (AWS: "Create AWS Lambda proxy integrations for HTTP
 * APIs", response format). Written out, it has headers, so that a replay can be marked.
 */
function normalised(response: unknown, shape: HttpEventShape): unknown {
  if (shape !== 'v2' || (isObject(response) && response['statusCode'] !== undefined)) return response;
  const body = typeof response === 'string' ? response : JSON.stringify(response ?? null);
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Fields {
  return isObject(value) ? value : {};
}
