/** A web-standard response as it is stored: in format 2.0 of API Gateway, which `settle` gets, too. */
interface StoredResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The values of `Set-Cookie`, each by itself. */
  readonly cookies?: readonly string[];
  /** A stream where the response is streamed. Then it cannot be stored. */
  readonly body?: string | ReadableStream | null;
  readonly isBase64Encoded?: boolean;
}

/** Stands for what is no response. It cannot be stored, and the first caller gets this error. */
function noResponse(): never {
  throw new TypeError(
    'idempotentRoute: `next` must return a Response that can be sent. Its work is done, and a retry does not repeat it.',
  );
}

/** Reads the response, so that it can be stored. A stream that says so is left to the first caller. */
export async function storedForm(response: Response): Promise<StoredResponse | typeof noResponse> {
  const { status: statusCode, headers }: Partial<Response> = response ?? {};
  // The route has returned: its work is done. `Response.error()` has the status 0, and no server sends it.
  if (!statusCode || typeof headers?.getSetCookie !== 'function') return noResponse;
  const { 'set-cookie': _, ...single } = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  const head = { statusCode, headers: single, ...(cookies.length > 0 && { cookies }) };
  if (isStreamed(headers)) return { ...head, body: response.body };
  let bytes: Buffer;
  try {
    bytes = Buffer.from(await response.arrayBuffer());
  } catch (error) {
    // The route has returned: its work is done, although its body breaks off.
    return { ...head, body: new ReadableStream({ start: (controller) => controller.error(error) }) };
  }
  const text = textOf(bytes);
  return { ...head, body: text ?? bytes.toString('base64'), isBase64Encoded: text === undefined };
}

/** It may have no end: the caller would wait for ever. */
function isStreamed(headers: Headers): boolean {
  return headers.has('transfer-encoding') || /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
}

/** `undefined` where the bytes are no UTF-8. A text takes less room than base64, and a person can read it. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function responseFrom(stored: unknown): Response {
  if (stored === noResponse) return noResponse();
  const { statusCode: status, headers: single, cookies = [], body, isBase64Encoded } = stored as StoredResponse;
  const headers = new Headers(single);
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  // Bytes, because a text would get a `Content-Type` that the response did not have.
  const content = typeof body === 'string' ? Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8') : body;
  // A status such as 204 refuses any body, an empty one included.
  return new Response(body === '' ? null : content, { status, headers });
}
