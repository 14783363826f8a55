import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { IdempotencyHandle } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, expectTypeOf, it } from 'vitest';

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
    ['problemBaseUri', '/problems/'],
    ['problemBaseUri', 'https://a.example/problems'],
    ['problemBaseUri', 'https://a.example/<'],
    ['describedBy', 'docs'],
    ['problemsThrough', [{}]],
    ['dropHeaders', ['a b']],
    ['timeoutEarlyInMillis', -1],
    ['retentionSeconds', 0],
    ['onMissingKey', 'run'],
    ['key', 'id'],
    ['header', 'x'],
  ])('%s: %j', (option, value) => {
    expect(() => httpIdempotency({ ...good, [option]: value } as never)).toThrow(`option \`${option}\``);
  });

  it.each([
    ['methods', ['HEAD'], 'HEAD is a safe method (RFC 9110, section 9.2.1)'],
    ['methods', ['OPTIONS'], 'OPTIONS is a safe method (RFC 9110, section 9.2.1)'],
    ['methods', ['TRACE'], 'TRACE is a safe method (RFC 9110, section 9.2.1)'],
    ['dropHeaders', ['date', 7], 'must be made of HTTP tokens, such as a header name or a method'],
    ['dropHeaders', [7], 'must be made of HTTP tokens, such as a header name or a method'],
    ['required', 'yes', 'must be true or false'],
    ['onStoreError', 'ignore', "must be 'throw' or 'run'"],
    ['problemBaseUri', 'https://a.example', 'must end with / # : or =, as a name follows'],
    ['describedBy', new URL('https://a.example/'), 'must be an absolute URI'],
    ['problemsThrough', [null], 'must be a list of Middy middlewares with an `after`'],
  ])('%s: %j says why', (option, value, why) => {
    const message = `middy-idempotency: option \`${option}\`: ${why}`;
    expect(() => httpIdempotency({ ...good, [option]: value } as never)).toThrow(new TypeError(message));
  });

  it('none at all', () => {
    expect(() => httpIdempotency(undefined as never)).toThrow('option `options`');
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
