import { IdempotencyError } from '../errors.ts';
import { fields } from '../request-key/data.ts';

/**
 * Which fields the event has, and so which the response must have: `'v1'` API Gateway REST (and HTTP API with format
 * 1.0), `'v2'` HTTP API and Function URL, `'alb'` an Application Load Balancer.
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
  const common = {
    requestContext,
    body: members['body'],
    isBase64Encoded: members['isBase64Encoded'] === true,
    header,
    authority: [
      // RFC 9110, section 4.2.3: a host name is the same in any case.
      text(requestContext['domainName'] ?? header('host')[0]).toLowerCase(),
      text(requestContext['stage']),
    ],
  };
  if (typeof http['method'] === 'string') {
    return {
      ...common,
      shape: 'v2',
      multiValue: false,
      method: http['method'].toUpperCase(),
      path: text(members['rawPath'] ?? http['path']),
      query: parseQuery(text(members['rawQueryString'])),
    };
  }
  if (typeof members['httpMethod'] === 'string') {
    const isAlb = 'elb' in requestContext;
    return {
      ...common,
      shape: isAlb ? 'alb' : 'v1',
      multiValue: isAlb && typeof members['multiValueHeaders'] === 'object' && members['multiValueHeaders'] !== null,
      method: members['httpMethod'].toUpperCase(),
      path: text(members['path']),
      query: collectQuery(members),
    };
  }
  throw noHttpRequest();
}

function noHttpRequest(): IdempotencyError {
  return new IdempotencyError('KEY_INVALID', 'This is no HTTP request.', {
    advice:
      'httpIdempotency reads events of API Gateway (REST, HTTP API), Function URLs and ALB. Use idempotency for others.',
  });
}

function headerLookup(single: Fields, multiple: Fields): HttpRequest['header'] {
  const values = new Map<string, string[]>();
  const add = (name: string, value: unknown) => {
    const known = values.get(name.toLowerCase());
    if (known === undefined) values.set(name.toLowerCase(), [text(value)]);
    else known.push(text(value));
  };
  for (const [name, all] of Object.entries(multiple)) for (const value of asList(all)) add(name, value);
  const complete = new Set(values.keys());
  for (const [name, value] of Object.entries(single)) {
    if (value !== undefined && value !== null && !complete.has(name.toLowerCase())) add(name, value);
  }
  return (name) => values.get(name.toLowerCase()) ?? [];
}

/** Bytes that are no UTF-8 all decode to the same character: then the text as it came says more. */
function parseQuery(rawQueryString: string): ReadonlyMap<string, readonly string[]> {
  const query = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  const isLossy = [...query].flat(2).some((decoded) => decoded.includes('\ufffd'));
  return isLossy ? new Map([['', [rawQueryString]]]) : query;
}

function collectQuery(event: Fields): ReadonlyMap<string, readonly string[]> {
  const multiple = Object.entries(fields(event['multiValueQueryStringParameters']));
  const entries = multiple.length > 0 ? multiple : Object.entries(fields(event['queryStringParameters']));
  return new Map(entries.map(([name, values]) => [name, asList(values).map(text)]));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** @throws IdempotencyError where no gateway has a list or an object: two of them could be one text, or none */
function text(value: unknown): string {
  if (typeof value === 'object' && value !== null) throw noHttpRequest();
  return String(value ?? '');
}
