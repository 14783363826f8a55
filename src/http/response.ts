import { isStreaming } from '../core/record/outcome.ts';
import { isObject } from '../json.ts';
import { fields, isPlainObject } from '../request-key/data.ts';
import { decodedBody } from './content-coding.ts';
import type { HttpRequest } from './request.ts';

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

/** What they say is no longer true of a body that was decoded. */
const CODING_HEADERS = /^content-(encoding|length)$/;

/** The response in the form that the event asks for: ALB wants headers with multiple values where it has sent them. */
export function inKind(response: unknown, { multiValue }: Pick<HttpRequest, 'multiValue'>): unknown {
  if (!multiValue || !isFields(response)) return response;
  const { headers, multiValueHeaders, ...rest } = response;
  // An object has no text, and an ALB no use for it: it is left for the ALB to refuse, the first time and again.
  const asText = (value: unknown) => (typeof value === 'object' ? value : String(value));
  const lists = Object.entries(fields(headers)).map(([name, value]) => [name, [asText(value)]]);
  return { ...rest, multiValueHeaders: { ...Object.fromEntries(lists), ...fields(multiValueHeaders) } };
}

/**
 * The response as Lambda sends it. In format 2.0, a value without `statusCode` is the body of a 200 (AWS: "Create AWS Lambda
 * proxy integrations for HTTP APIs", response format). Written out, it has headers, so that a replay can be marked.
 */
export function asSent(response: unknown, { shape }: Pick<HttpRequest, 'shape'>): unknown {
  if (shape !== 'v2' || (isFields(response) && response['statusCode'] !== undefined)) return response;
  const body = typeof response === 'string' ? response : JSON.stringify(response ?? null);
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body };
}

/** What is stored of a response: without the headers that belong to its message alone. The response itself if it has none. */
export function withoutHeaders(response: unknown, dropped: ReadonlySet<string>): unknown {
  if (!isFields(response)) return response;
  const { cookies, headers, multiValueHeaders, ...rest } = response;
  const names = Object.keys({ ...fields(headers), ...fields(multiValueHeaders) });
  if (cookies !== undefined) names.push('set-cookie');
  if (!names.some((name) => dropped.has(name.toLowerCase()))) return response;
  return { ...rest, ...headersOf(response, (name) => !dropped.has(name)) };
}

/** The stored response, marked as a replay, in a content coding that this client accepts: another one may have been first. */
export function asReplay(response: unknown, http: Pick<HttpRequest, 'multiValue' | 'header'>): unknown {
  if (!isFields(response) || response['statusCode'] === undefined) return response;
  const { headers, multiValueHeaders } = headersOf(response, (name) => name === 'content-encoding');
  const coding = String(Object.values({ ...headers, ...multiValueHeaders })).toLowerCase();
  const body = response['isBase64Encoded'] === true ? decodedBody(response['body'], coding, http) : undefined;
  const isDecoded = body !== undefined;
  const own = headersOf(
    response,
    (name) => name !== 'idempotent-replayed' && !(isDecoded && CODING_HEADERS.test(name)),
  );
  const replay = {
    ...response,
    ...own,
    ...(isDecoded && { body }),
    headers: { ...own.headers, 'Idempotent-Replayed': 'true' },
  };
  return inKind(replay, http);
}

/** Its headers of both kinds, and its cookies, as far as there are any, whose names in lower case are to be kept. */
function headersOf({ headers, multiValueHeaders, cookies }: Fields, keep: (name: string) => boolean) {
  const kept = (all: Fields): Fields =>
    Object.fromEntries(Object.entries(all).filter(([name]) => keep(name.toLowerCase())));
  return {
    ...(isFields(headers) && { headers: kept(headers) }),
    ...(isFields(multiValueHeaders) && { multiValueHeaders: kept(multiValueHeaders) }),
    ...(cookies !== undefined && keep('set-cookie') && { cookies }),
  };
}

export function statusOf(answer: unknown): number {
  return Number(fields(asJson(answer))['statusCode']) || 200;
}

/** A response that has a `toJSON`, as JSON leaves it. */
function asJson(response: unknown): unknown {
  if (!isFields(response) || isStreaming(response)) return response;
  if (isPlainObject(response) && !('toJSON' in response)) return response;
  return JSON.parse(JSON.stringify(response) ?? 'null');
}

function isFields(value: unknown): value is Fields {
  return isObject(value) && !Array.isArray(value);
}
