import { type HttpRequest, parseQuery } from '../http/request.ts';

/**
 * What the idempotency of a web-standard request depends on, as of an event of format 2.0.
 *
 * @param withBody whether the body is read: whole, from a copy, so that the route can read it, too
 * @throws TypeError when the body was read already
 */
export async function readFetch(request: Request, withBody: boolean): Promise<HttpRequest> {
  const { host, pathname, search } = new URL(request.url);
  return {
    shape: 'v2',
    multiValue: false,
    method: request.method.toUpperCase(),
    authority: [host, ''],
    path: pathname,
    query: parseQuery(search),
    body: withBody ? Buffer.from(await bodyOf(request)).toString('base64') : undefined,
    isBase64Encoded: true,
    header(name) {
      const value = request.headers.get(name);
      return value === null ? [] : [value];
    },
    requestContext: {},
  };
}

async function bodyOf(request: Request): Promise<ArrayBuffer> {
  if (request.bodyUsed) {
    throw new TypeError(
      'idempotentRoute: other code has read the body of this request. Put the guard in front of that code, or give it the ' +
        'option `fingerprint`.',
    );
  }
  return request.clone().arrayBuffer();
}
