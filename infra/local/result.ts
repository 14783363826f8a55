import { validateHeaderName, validateHeaderValue } from 'node:http';

/** What goes back over HTTP. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** `undefined` where the status allows none. */
  readonly body: Buffer | undefined;
}

/** What API Gateway itself answers, in the words that it uses. */
export function gatewayResponse(statusCode: 413 | 500 | 503): HttpResponse {
  return jsonResponse(statusCode, JSON.stringify({ message: GATEWAY_MESSAGES[statusCode] }));
}

const GATEWAY_MESSAGES = {
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const;

/**
 * What an API Gateway HTTP API makes of a function's result, payload format 2.0. A result without
 * `statusCode` is the JSON body of a 200. AWS: "Create AWS Lambda proxy integrations for HTTP
 * APIs", "Lambda function response".
 *
 * @throws Error when the result is no response, which API Gateway answers with 500
 */
export function toHttpResponse(result: unknown): HttpResponse {
  // Lambda sends the result as JSON: what JSON does not carry never arrives.
  const sent: unknown = JSON.parse(JSON.stringify(result) ?? 'null');
  if (typeof sent === 'string') return jsonResponse(200, sent);
  if (typeof sent !== 'object' || sent === null || !('statusCode' in sent)) {
    return jsonResponse(200, JSON.stringify(sent));
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = sent as Record<string, unknown>;
  const isStatus = Number.isInteger(statusCode) && Number(statusCode) >= 200 && Number(statusCode) <= 599;
  if (!isStatus) throw new Error(`the function's response has the statusCode ${JSON.stringify(statusCode)}`);
  // RFC 9110, sections 15.3.5 and 15.4.5: these have no content.
  if (statusCode === 204 || statusCode === 304) {
    return { statusCode, headers: responseHeaders(headers, cookies), body: undefined };
  }
  const isBody = body === undefined || body === null || typeof body === 'string';
  if (!isBody) throw new Error(`the function's response has a body that is no string but a ${typeof body}`);
  return {
    statusCode: Number(statusCode),
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...responseHeaders(headers, cookies) },
    body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}

function jsonResponse(statusCode: number, body: string): HttpResponse {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
}

/** Each cookie becomes a `set-cookie` header of its own. */
function responseHeaders(headers: unknown, cookies: unknown): Record<string, string | string[]> {
  const given = Object.entries((headers ?? {}) as Record<string, unknown>);
  const singles = given.map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const setCookies = Array.isArray(cookies) ? cookies.map(String) : [];
  for (const [name, value] of [...singles, ...setCookies.map((cookie) => ['set-cookie', cookie] as const)]) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
  return { ...Object.fromEntries(singles), ...(setCookies.length > 0 && { 'set-cookie': setCookies }) };
}
