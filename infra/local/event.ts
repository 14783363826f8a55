import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** What of the invocation does not come from the HTTP request. */
export interface Arrival {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * The event that an API Gateway HTTP API with a `$default` route makes of a request. Payload format
 * 2.0 (AWS: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway").
 */
export function toEvent(request: IncomingMessage, body: Buffer, { requestId, at }: Arrival): APIGatewayProxyEventV2 {
  const { method = 'GET', url = '/', headers } = request;
  const [encodedPath = '/', ...query] = url.split('?');
  const rawQueryString = query.join('?');
  const rawPath = decodePath(encodedPath);
  const host = headers.host ?? 'localhost';
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(headers.cookie !== undefined && { cookies: headers.cookie.split(/;\s*/) }),
    headers: joinHeaders(request.headersDistinct),
    ...(rawQueryString !== '' && { queryStringParameters: joinQuery(rawQueryString) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: host,
      domainPrefix: host.split(/[.:]/)[0] ?? '',
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: commonLogTime(at),
      timeEpoch: at,
    },
    ...bodyOf(body, headers),
  };
}

/** HTTP APIs hand the path on decoded, other than the query. What cannot be decoded stays as it came. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Header names in lower case, the values of a repeated header joined; cookies have a member of their own. */
function joinHeaders(headers: NodeJS.Dict<string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name !== 'cookie')
      .map(([name, values = []]) => [name, values.join(',')]),
  );
}

function joinQuery(rawQueryString: string): Record<string, string> {
  const parameters = new URLSearchParams(rawQueryString);
  return Object.fromEntries([...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]));
}

/**
 * These arrive as text, everything else in base64, a body without content type and a form included. AWS does not
 * document the list; it was measured against an HTTP API (github.com/ministackorg/ministack, pull request 766).
 */
const TEXT = /^(text\/.*|application\/(json|xml|javascript))$/i;

function bodyOf(body: Buffer, headers: IncomingHttpHeaders): Pick<APIGatewayProxyEventV2, 'body' | 'isBase64Encoded'> {
  if (body.length === 0) return { isBase64Encoded: false };
  const [mediaType = ''] = (headers['content-type'] ?? '').split(';');
  const isText = TEXT.test(mediaType.trim()) && isUtf8(body);
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}

/** `22/Nov/2026:11:16:52 +0000` */
function commonLogTime(at: number): string {
  const [, day, month, year, time] = new Date(at).toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
