import type { IncomingMessage } from 'node:http';

/** AWS: "Quotas for configuring and running an HTTP API in API Gateway", payload size. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

/** The request's body, `undefined` when it is larger than API Gateway takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Read to the end, also when it is too large: an answer to a client that is still sending can get
  // lost.
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks);
}
