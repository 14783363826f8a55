import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { IdempotencyHandle, MigrationSource } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { HTTP_OPTION_NAMES } from '../../src/http/options.ts';
import { behaviourOf } from '../support/http-scenario.ts';

const good = { store: memoryStore(), operation: 'pay' };

describe('a wrong option of httpIdempotency is refused at construction, by its name', () => {
  it.each([
    ['store', undefined],
    ['methods', 'POST'],
    ['methods', []],
    ['methods', ['PO ST']],
    ['methods', ['POST', 'get']],
    ['headerName', ''],
    ['headerName', 'Idempotency Key'],
    ['required', 'yes'],
    ['scope', ''],
    ['scope', 'requestContext.['],
    ['fingerprint', 'bdy('],
    ['onStoreError', 'ignore'],
    ['maxRetryAfterSeconds', 0],
    ['maxRetryAfterSeconds', 30_000],
    ['maxRetryAfterSeconds', '30'],
    ['maxRetryAfterSeconds', null],
    ['problemBaseUri', '/problems/'],
    ['problemBaseUri', 'https://a.example/problems'],
    ['problemBaseUri', 'https://a.example/<'],
    ['problemBaseUri', 'https://a.example/fehler-ü/'],
    ['describedBy', 'docs'],
    ['describedBy', 'https://a.example/ü'],
    ['describedBy', 'https://a.example/\u0007'],
    ['describedBy', 'https://a.example/a b'],
    ['describedBy', 'https://a.example/"'],
    ['describedBy', 'https://a.example/>'],
    ['fingerprint', null],
    ['scope', null],
    ['problemHeaders', { vary: 'Origin' }],
    ['problemsThrough', [{}]],
    ['dropHeaders', ['a b']],
    ['dropHeaders', 'date'],
    ['dropHeaders', null],
    ['timeoutEarlyInMillis', -1],
    ['retentionSeconds', 0],
    ['onMissingKey', 'run'],
    ['key', 'id'],
    ['header', 'x'],
  ])('%s: %j', (option, value) => {
    expect(() => httpIdempotency({ ...good, [option]: value } as never)).toThrow(`option \`${option}\``);
  });

  it.each([
    ['methods', [], 'must not be empty'],
    ['methods', ['HEAD'], 'HEAD is a safe method, which needs no guard'],
    ['methods', ['OPTIONS'], 'OPTIONS is a safe method, which needs no guard'],
    ['methods', ['TRACE'], 'TRACE is a safe method, which needs no guard'],
    ['dropHeaders', ['date', 7], 'must be made of HTTP tokens, such as POST'],
    ['dropHeaders', [7], 'must be made of HTTP tokens, such as POST'],
    ['required', 'yes', "must be true or false, not 'yes'"],
    ['onStoreError', 'ignore', "must be 'throw' or 'run', not 'ignore'"],
    ['problemBaseUri', 'https://a.example', 'must end with / # : or =: a name follows'],
    ['maxRetryAfterSeconds', 3601, 'must be a finite number at least 1 and at most 3600, not 3601'],
    ['describedBy', new URL('https://a.example/'), 'must be an absolute URI'],
    ['problemsThrough', [null], 'must be a list of Middy middlewares with an `after`'],
  ])('%s: %j says why', (option, value, why) => {
    const message = `middy-idempotency: option \`${option}\`: ${why}`;
    expect(() => httpIdempotency({ ...good, [option]: value } as never)).toThrow(new TypeError(message));
  });

  it.each(['https://a.example/!#$%&-;=?~', 'urn:a:b'])('a URI of any characters that it may have is not: %s', (uri) => {
    expect(() => httpIdempotency({ ...good, describedBy: uri, problemBaseUri: `${uri}/` })).not.toThrow();
  });

  it('an empty list of headers is none: a replay then repeats them all', () => {
    expect(() => httpIdempotency({ ...good, dropHeaders: [] })).not.toThrow();
  });

  it('none at all', () => {
    expect(() => httpIdempotency(undefined as never)).toThrow('option `options`');
  });
});

/** For each option but the store a value that is not its default. */
const OTHER_VALUES = {
  retentionSeconds: 60,
  leaseMillis: 1000,
  clockSkewMillis: 2000,
  onInFlight: { waitMillis: 1000 },
  onExpiredLease: 'throw',
  settle: () => 'store',
  cache: { maxEntries: 10 },
  migrateFrom: {
    name: 'another package',
    attach:
      ({ store }) =>
      () => {
        told.push('a store of the request');
        return store;
      },
  } satisfies MigrationSource,
  onEvent: ({ type }: { type: string }) => void told.push(type),
  operation: 'pay',
  scope: 'anonymous',
  methods: ['PUT'],
  headerName: 'X-Key',
  required: false,
  fingerprint: 'rawPath',
  onStoreError: 'run',
  maxRetryAfterSeconds: 1,
  problemBaseUri: 'https://a.example/',
  describedBy: 'https://a.example/',
  problemHeaders: () => ({ vary: 'Origin' }),
  problemsThrough: [{ after: () => ({ statusCode: 418 }) }],
  dropHeaders: ['etag'],
  warnings: false,
  allowDisabling: true,
  timeoutEarlyInMillis: 10_000,
} as const satisfies { readonly [Name in Exclude<(typeof HTTP_OPTION_NAMES)[number], 'store'>]: unknown };

const told: string[] = [];

describe('an option of httpIdempotency', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation((message) => {
    if (String(message).includes(' in operation ')) told.push('a warning');
  });
  beforeAll(() => {
    process.env['MIDDY_IDEMPOTENCY_DISABLED'] = 'true';
  });
  afterAll(() => {
    warn.mockRestore();
    delete process.env['MIDDY_IDEMPOTENCY_DISABLED'];
  });

  it.each(Object.entries(OTHER_VALUES))('that is undefined is one that is not given: %s', async (name, value) => {
    const seen = async (options: object) => {
      told.length = 0;
      return [await behaviourOf(options), [...told]];
    };
    const byDefault = await seen({});
    expect(await seen({ [name]: undefined })).toEqual(byDefault);
    // What could not be seen would prove nothing.
    expect(await seen({ [name]: value })).not.toEqual(byDefault);
  });

  it('none is left out of this', () => {
    expect(['store', ...Object.keys(OTHER_VALUES)].sort()).toEqual([...HTTP_OPTION_NAMES].sort());
  });
});

it('is typed: the event keeps its type, and the handle is there for guarded methods', () => {
  middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpIdempotency(good))
    .handler(async (event, context) => {
      expectTypeOf(event.rawPath).toEqualTypeOf<string>();
      expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle | undefined>();
      return { statusCode: 200 };
    });
});
