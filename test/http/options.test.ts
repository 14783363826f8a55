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
