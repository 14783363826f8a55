import { randomUUID } from 'node:crypto';
import {
  brotliCompressSync,
  brotliDecompressSync,
  deflateSync,
  gzipSync,
  unzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import httpContentEncoding from '@middy/http-content-encoding';
import httpContentNegotiation from '@middy/http-content-negotiation';
import { describe, expect, it, vi } from 'vitest';
import { MIDDY_VERSIONS } from '../support/harness.ts';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { type Shape, useApi } from '../support/http-harness.ts';

const harness = useApi();
const text = JSON.stringify({ items: Array.from({ length: 200 }, (_, number) => ({ number, name: 'a name' })) });

/** A response as the client has it: the bytes, and what the headers say of them. */
function received(response: Record<string, unknown>) {
  const all = { ...(response['headers'] as object), ...(response['multiValueHeaders'] as object) };
  const headers = Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const bytes = Buffer.from(String(response['body']), response['isBase64Encoded'] === true ? 'base64' : 'utf8');
  const coding = headers['content-encoding']?.toLowerCase();
  return { headers, coding, bytes, text: decode(bytes, coding).toString() };
}

function decode(bytes: Buffer, coding: string | undefined): Buffer {
  if (coding === undefined) return bytes;
  if (coding === 'br') return brotliDecompressSync(bytes);
  return coding === 'zstd' ? zstdDecompressSync(bytes) : unzipSync(bytes);
}

/** Answers each client as the gateway gets it: the response itself. */
function clientsOf(shape: Shape, setup: Omit<Parameters<typeof harness.api>[0], 'shape'>) {
  const raw: Shape = { ...shape, read: (response) => response as never };
  const call = harness.api({ shape: raw, ...setup });
  const key = randomUUID();
  return async (acceptEncoding?: string) => {
    const accepts: [string, string][] = acceptEncoding === undefined ? [] : [['Accept-Encoding', acceptEncoding]];
    const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', key], ...accepts] };
    return received((await call(request)) as never);
  };
}

const handlerOf = () => vi.fn(async () => ({ statusCode: 201, headers: { etag: '"1"' }, body: text }));
const encoding = () => [
  httpContentNegotiation({ parseLanguages: false, parseCharsets: false, parseMediaTypes: false }),
  httpContentEncoding(),
];

describe.each(MIDDY_VERSIONS)('http-content-encoding, with %s', (_, middy) => {
  describe.each(SHAPES.slice(0, 4))('behind $name', (shape) => {
    it('in front of the guard: the text is stored, and every client can read the replay', async () => {
      const handler = handlerOf();
      const client = clientsOf(shape, { middy, handler, inFront: encoding() });
      expect(await client('br')).toMatchObject({ coding: 'br', text });
      for (const accepted of ['br', 'gzip', 'identity', undefined]) {
        const replay = await client(accepted);
        expect(replay).toMatchObject({
          coding: undefined,
          text,
          headers: { etag: '"1"', 'idempotent-replayed': 'true' },
        });
      }
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it('behind the guard: the same client gets the same bytes, and every other one what it can read', async () => {
      const handler = handlerOf();
      const client = clientsOf(shape, { middy, handler, behind: encoding() });
      const first = await client('br, gzip');
      expect(first).toMatchObject({ coding: 'br', text });
      const same = await client('br, gzip');
      expect(same).toMatchObject({ coding: 'br', bytes: first.bytes, headers: { 'idempotent-replayed': 'true' } });
      for (const accepted of ['gzip', 'identity', '*', undefined]) {
        expect(await client(accepted)).toMatchObject({ coding: undefined, text, headers: { etag: '"1"' } });
      }
      expect(handler).toHaveBeenCalledTimes(1);
    });
  });
});

describe('a stored response in a content coding', () => {
  const CODED = {
    br: brotliCompressSync(text),
    gzip: gzipSync(text),
    deflate: deflateSync(text),
    zstd: zstdCompressSync(text),
  };
  const stored = (shape: Shape, coding: string, bytes: Buffer, changes: object = {}) => {
    const fields = { 'Content-Encoding': coding, 'Content-Length': String(bytes.length), Vary: 'Accept-Encoding' };
    const lists = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [value]]));
    const headers = shape.name.includes('multi-value') ? { multiValueHeaders: lists } : { headers: fields };
    const response = { statusCode: 200, ...headers, body: bytes.toString('base64'), isBase64Encoded: true, ...changes };
    return clientsOf(shape, { handler: async () => response });
  };

  it.each(SHAPES.flatMap((shape) => Object.keys(CODED).map((coding) => [shape.name, coding, shape] as const)))(
    'behind %s is decoded for a client that does not take %s',
    async (_, coding, shape) => {
      const bytes = CODED[coding as keyof typeof CODED];
      const client = stored(shape, coding.toUpperCase(), bytes);
      await client(coding);
      const same = await client(coding);
      expect(same.bytes).toEqual(bytes);
      expect(same.headers).toMatchObject({
        'content-encoding': coding.toUpperCase(),
        'content-length': `${bytes.length}`,
      });
      const decoded = await client('identity');
      expect(decoded.bytes.toString()).toBe(text);
      expect(decoded.headers).toEqual({ vary: 'Accept-Encoding', 'idempotent-replayed': 'true' });
    },
  );

  it.each([
    ['br', true],
    ['gzip, deflate, br;q=0.5', true],
    ['gzip;q=1.0,BR ; q=0.001', true],
    ['gzip', false],
    ['br;q=0', false],
    ['br; q=0.000, gzip', false],
    ['brotli', false],
    ['gzip;q=0, br', true],
    ['br;level=11', true],
    ['', false],
  ])('and `Accept-Encoding: %s` keeps its bytes: %s', async (accepted, keeps) => {
    const client = stored(SHAPES[1] as Shape, 'br', CODED.br);
    await client(accepted);
    expect((await client(accepted)).coding).toBe(keeps ? 'br' : undefined);
  });

  it.each<[string, string, object]>([
    ['in a coding that this package does not know', 'compress', {}],
    ['in two codings', 'gzip, br', {}],
    ['whose name is a member of every object', 'constructor', {}],
    ['that is no text in base64', 'br', { isBase64Encoded: false }],
    ['that is not what its coding says', 'gzip', {}],
    ['without a body', 'br', { body: undefined }],
  ])('%s is given as it is', async (_, coding, changes) => {
    const response = {
      statusCode: 200,
      headers: { 'content-encoding': coding },
      body: CODED.br.toString('base64'),
      isBase64Encoded: true,
      ...changes,
    };
    const call = harness.api({ handler: async () => response });
    const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
    const first = await call(request);
    expect(await call(request)).toEqual({ ...first, headers: { ...first.headers, 'idempotent-replayed': 'true' } });
  });

  it('that would be larger than what Lambda sends is given as it is', async () => {
    const bytes = gzipSync('x'.repeat(4_500_001));
    const client = stored(SHAPES[1] as Shape, 'gzip', bytes);
    await client();
    expect((await client()).bytes).toEqual(bytes);
  });
});
