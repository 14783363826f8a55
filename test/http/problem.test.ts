import { describe, expect, it } from 'vitest';
import { IdempotencyError, type IdempotencyErrorCode, type IdempotencyErrorDetails } from '../../src/errors.ts';
import { problemResponse } from '../../src/http/problem.ts';

const OPTIONS = {
  baseUri: 'https://a.example/problems/',
  describedBy: undefined,
  headerName: 'X-Key',
  maxRetryAfterSeconds: 30,
};
const UUID = '8f7b5f2e-0d0c-4d7e-9c59-1f0b7a0c6f11';

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const responseTo = (
  code: IdempotencyErrorCode,
  {
    shape = 'v2',
    options = OPTIONS,
    requestId = UUID,
    ...details
  }: IdempotencyErrorDetails & { shape?: string; options?: object; requestId?: unknown } = {},
) => {
  const error = new IdempotencyError(code, 'What to do.', details);
  return problemResponse(error, { shape: shape as never }, options as never, requestId) as Response;
};
const detailsOf = (response: Response) => JSON.parse(response.body);

describe('a problem', () => {
  it.each<[IdempotencyErrorCode, number, string, string]>([
    ['KEY_MISSING', 400, 'key-missing', 'Idempotency-Key is missing'],
    ['SCOPE_MISSING', 500, 'scope-missing', 'The caller is not known'],
    ['KEY_INVALID', 400, 'key-invalid', 'Idempotency-Key is malformed'],
    ['KEY_REUSED', 422, 'key-reused', 'Idempotency-Key is already used'],
    ['IN_FLIGHT', 409, 'in-flight', 'A request is outstanding for this Idempotency-Key'],
    ['OUTCOME_UNKNOWN', 409, 'outcome-unknown', 'The outcome of an earlier request is unknown'],
    ['LEASE_LOST', 409, 'lease-lost', 'The request took too long'],
    ['RESPONSE_NOT_REPLAYABLE', 409, 'response-not-replayable', 'The response cannot be repeated'],
    ['RECORD_INVALID', 500, 'record-invalid', 'The record of this request cannot be read'],
    ['STORE_UNAVAILABLE', 503, 'store-unavailable', 'Idempotency cannot be guaranteed at the moment'],
  ])('for %s is of a type of its own', (code, status, name, title) => {
    const response = responseTo(code);
    expect(response.statusCode).toBe(status);
    expect(detailsOf(response)).toEqual({
      type: `https://a.example/problems/${name}`,
      title,
      status,
      detail: code === 'KEY_MISSING' ? 'What to do. Send it in the header X-Key.' : 'What to do.',
      instance: `urn:uuid:${UUID}`,
    });
  });

  it('has no other headers than it has a value for', () => {
    const common = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
    expect(responseTo('KEY_MISSING').headers).toEqual(common);
    expect(responseTo('STORE_UNAVAILABLE', { retryable: true }).headers).toEqual({ ...common, 'Retry-After': '1' });
    // No retry mends what the table refuses.
    expect(responseTo('STORE_UNAVAILABLE', { retryable: false }).headers).toEqual(common);
    expect(responseTo('IN_FLIGHT', { retryAfterMillis: 1001 }).headers).toEqual({ ...common, 'Retry-After': '2' });
    expect(responseTo('IN_FLIGHT', { retryAfterMillis: 0 }).headers).toEqual({ ...common, 'Retry-After': '1' });
    expect(responseTo('IN_FLIGHT', { retryAfterMillis: 900_000 }).headers).toEqual({ ...common, 'Retry-After': '30' });
    const half = { options: { ...OPTIONS, maxRetryAfterSeconds: 2.5 }, retryAfterMillis: 900_000 };
    expect(responseTo('IN_FLIGHT', half).headers).toEqual({ ...common, 'Retry-After': '2' });
    const options = { ...OPTIONS, describedBy: 'https://a.example/docs' as never };
    const Link = '<https://a.example/docs>; rel="describedby"';
    expect(responseTo('KEY_MISSING', { options }).headers).toEqual({ ...common, Link });
  });

  it.each([undefined, null, 7, '', 'request-1', `${UUID}0`, `0${UUID}`, `${UUID} `, [UUID]])(
    'names no instance where the id of the request is %j',
    (requestId) => {
      const id = requestId === undefined ? null : requestId;
      expect(detailsOf(responseTo('KEY_MISSING', { requestId: id }))).not.toHaveProperty('instance');
    },
  );

  it('says that its body is text where the gateway asks', () => {
    expect(responseTo('KEY_MISSING', { shape: 'v1' })).toHaveProperty('isBase64Encoded', false);
    expect(responseTo('KEY_MISSING', { shape: 'alb' })).toHaveProperty('isBase64Encoded', false);
    expect(responseTo('KEY_MISSING', { shape: 'v2' })).not.toHaveProperty('isBase64Encoded');
  });
});
