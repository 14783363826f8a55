import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signer } from '../../../src/stores/dynamodb/lite/sign.ts';
import { Sha256 } from '../../support/sha256.ts';

/** AWS's Signature Version 4 test suite: the requests by POST without a query, with what they have in common. */
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const DATE = '20150830T123600Z';
const HOST = { host: 'example.amazonaws.com', 'x-amz-date': DATE };
const TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7m' +
  'SEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo' +
  '0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';
const FORM = 'application/x-www-form-urlencoded';

const PUBLISHED = [
  ['post-vanilla', {}, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-header-key-sort',
    { 'my-header1': 'value1' },
    '',
    'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  ],
  [
    'post-header-value-case',
    { 'my-header1': 'VALUE1' },
    '',
    'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  ],
  [
    'post-sts-header-before',
    { 'x-amz-security-token': TOKEN },
    '',
    '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
  ],
  [
    'post-x-www-form-urlencoded',
    { 'content-type': FORM },
    'Param1=value1',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
  [
    'post-x-www-form-urlencoded-parameters',
    { 'content-type': `${FORM}; charset=utf8` },
    'Param1=value1',
    '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
  ],
] as const;

describe('a signature', () => {
  it.each(PUBLISHED)('is the published one: %s', (_, more, body, signature) => {
    const headers: Record<string, string> = { ...HOST, ...more };
    const sign = signer({ region: 'us-east-1', service: 'service' });
    const signed = Object.keys(headers).sort().join(';');
    expect(sign({ path: '/', headers, body }, KEYS, DATE)).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
    );
  });

  const text = fc.string({ unit: 'grapheme', maxLength: 60 });
  const token = fc.stringMatching(/^[A-Za-z0-9+/=_-]{1,40}$/);
  const request = fc.record({
    path: fc.array(fc.webSegment(), { maxLength: 3 }).map((parts) => new URL(`https://x/${parts.join('/')}`).pathname),
    body: text,
    host: fc.domain(),
    region: token,
    accessKeyId: token,
    secretAccessKey: text,
    sessionToken: fc.option(token, { nil: undefined }),
    custom: fc.stringMatching(/^[!-~]{1,10}( {1,3}[!-~]{1,10}){0,2}$/),
    instant: fc.integer({ min: 0, max: 4_000_000_000 }),
  });

  it("is that of the SDK's signer, for any request", async () => {
    await fc.assert(
      fc.asyncProperty(request, async ({ path, body, host, region, custom, instant, ...credentials }) => {
        const signingDate = new Date(instant * 1000);
        const { sessionToken } = credentials;
        const date = signingDate.toISOString().replace(/[-:]|\.\d{3}/g, '');
        const headers = { host, 'x-custom': custom, ...(sessionToken && { 'x-amz-security-token': sessionToken }) };
        const sdk = new SignatureV4({
          service: 'dynamodb',
          region,
          credentials: credentials as never,
          sha256: Sha256,
          applyChecksum: false,
        });
        const sent = { method: 'POST', protocol: 'https:', hostname: host, path, query: {}, headers, body };
        const theirs = await sdk.sign(sent, { signingDate });
        const request = { path, headers: { ...headers, 'x-amz-date': date }, body };
        const ours = signer({ region, service: 'dynamodb' })(request, credentials, date);
        expect(ours).toBe(theirs.headers['authorization']);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('follows the day and the credentials, with one signer for all of them', () => {
    const sign = signer({ region: 'us-east-1', service: 'service' });
    const request = { path: '/', headers: HOST, body: '' };
    const other = { accessKeyId: 'OTHER', secretAccessKey: 'other' };
    const fresh = (keys: typeof KEYS, date: string) =>
      signer({ region: 'us-east-1', service: 'service' })(request, keys, date);
    for (const keys of [KEYS, other, KEYS]) {
      for (const date of [DATE, '20150831T000000Z']) expect(sign(request, keys, date)).toBe(fresh(keys, date));
    }
  });
});
