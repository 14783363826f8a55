import { IdempotencyError } from '../errors.ts';
import { isObject } from '../json.ts';
import { fields } from '../request-key/data.ts';

/**
 * Which fields the event has, and so which the response must have. `'v1'`: API Gateway REST, and HTTP API with format
 * 1.0. `'v2'`: HTTP API and Function URL. `'alb'`: an Application Load Balancer.
 */
type HttpEventShape = 'v1' | 'v2' | 'alb';

/** What the idempotency of a request depends on, read from the event once. */
export interface HttpRequest {
  readonly shape: HttpEventShape;
  /** ALB with multi-value headers: the response must have them, too. */
  readonly multiValue: boolean;
  readonly method: string;
  /** The host name in lower case, and the stage of an API that has several. */
  readonly authority: readonly string[];
  /** The actual path, not the route's template. */
  readonly path: string;
  /** Values in the order in which they came, for each name. */
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly body: unknown;
  readonly isBase64Encoded: boolean;
  /** All values of a header, whatever the case of its name. Format 2.0 has joined them with commas. */
  header(name: string): readonly string[];
  /** The event's `requestContext`: what API Gateway has verified. */
  readonly requestContext: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws IdempotencyError `KEY_INVALID` when the event is no HTTP request: without one there is nothing to guard by */
export function readRequest(event: unknown): HttpRequest {
  const members = fields(event);
  const requestContext = fields(members['requestContext']);
  const http = fields(requestContext['http']);
  const header = headerLookup(fields(members['headers']), fields(members['multiValueHeaders']));
  const isV2 = typeof http['method'] === 'string';
  const isAlb = !isV2 && 'elb' in requestContext;
  const method = isV2 ? http['method'] : members['httpMethod'];
  if (typeof method !== 'string') throw noHttpRequest();
  return {
    shape: isV2 ? 'v2' : isAlb ? 'alb' : 'v1',
    multiValue: isAlb && isObject(members['multiValueHeaders']),
    method: method.toUpperCase(),
    authority: [
      // RFC 9110, section 4.2.3: a host name is the same in any case.
      text(requestContext['domainName'] ?? header('host')[0]).toLowerCase(),
      text(requestContext['stage']),
    ],
    path: text(isV2 ? (members['rawPath'] ?? http['path']) : members['path']),
    query: isV2 ? parseQuery(text(members['rawQueryString'])) : collectQuery(members),
    body: members['body'],
    isBase64Encoded: members['isBase64Encoded'] === true,
    header,
    requestContext,
  };
}

function noHttpRequest(): IdempotencyError {
  return new IdempotencyError('KEY_INVALID', 'This is no HTTP request.', {
    advice:
      'httpIdempotency reads events of API Gateway (REST, HTTP API), Function URLs and ALB. Use idempotency for others.',
  });
}

function headerLookup(single: Fields, multiple: Fields): HttpRequest['header'] {
  const lists = valuesByName(multiple);
  const others = valuesByName(single);
  return (name) => lists.get(name.toLowerCase()) ?? others.get(name.toLowerCase()) ?? [];
}

function valuesByName(headers: Fields): ReadonlyMap<string, readonly string[]> {
  return grouped(
    Object.entries(headers).flatMap(([name, all]) =>
      asList(all).map((value) => [name.toLowerCase(), text(value)] as const),
    ),
  );
}

function grouped(pairs: Iterable<readonly [name: string, value: string]>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    if (!groups.get(name)?.push(value)) groups.set(name, [value]);
  }
  return groups;
}

/** Bytes that are no UTF-8 all decode to the same character: then the text as it came says more. */
export function parseQuery(rawQueryString: string): ReadonlyMap<string, readonly string[]> {
  const query = grouped(new URLSearchParams(rawQueryString));
  const isLossy = [...query].flat(2).some((decoded) => decoded.includes('\ufffd'));
  return isLossy ? new Map([['', [rawQueryString]]]) : query;
}

function collectQuery(event: Fields): ReadonlyMap<string, readonly string[]> {
  // The second has all values of a name, where it is there.
  const { queryStringParameters: last, multiValueQueryStringParameters: all } = event;
  const entries = Object.entries({ ...fields(last), ...fields(all) });
  return new Map(entries.map(([name, values]) => [name, asList(values).map(text)]));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : (value ?? null) === null ? [] : [value];
}

/** @throws IdempotencyError where no gateway has a list or an object: two of them could be one text, or none */
function text(value: unknown): string {
  if (isObject(value)) throw noHttpRequest();
  return String(value ?? '');
}
