import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, verdictOf } from './requests.ts';

const setUp = usePaymentsApi();

/** What every object has, as far as the rule for names admits it: `constructor`, `toString`, `valueOf`, … */
const INHERITED = Object.getOwnPropertyNames(Object.prototype).filter((name) => /^[A-Za-z]/.test(name));
/** What some function of JavaScript looks for in an object. */
const LOOKED_FOR = ['toJSON', 'then', 'length', 'size'];
const names = fc.oneof(
  fc.constantFrom(...INHERITED, ...LOOKED_FOR),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/),
);
const metadata = fc.dictionary(names, fc.string({ maxLength: 20 }), { maxKeys: 5, noNullPrototype: true });
const RUNS = { numRuns: 25 };

describe('metadata of a payment', () => {
  it.each([...INHERITED, ...LOOKED_FOR])('may be named %s: charged once, stored and found', async (name) => {
    const { send, chargeKeys } = setUp();
    const body = { ...PAYMENT, metadata: { [name]: 'x' } };
    const made = await send({ key: randomUUID(), body });
    expect(verdictOf(made)).toBe('201');
    expect(chargeKeys).toHaveLength(1);
    const found = await send({ method: 'GET', path: headerOf(made, 'location') ?? '' });
    expect(bodyOf(found)['metadata']).toEqual(body.metadata);
  });

  it('is stored as it was sent, whatever its names, by POST, PUT and PATCH', async () => {
    const { send } = setUp();
    await fc.assert(
      fc.asyncProperty(metadata, metadata, async (sent, patch) => {
        const posted = await send({ key: randomUUID(), body: { ...PAYMENT, metadata: sent } });
        expect(bodyOf(posted)['metadata']).toEqual(sent);
        const path = `/payments/${randomUUID()}`;
        const headers = { 'if-none-match': '*' };
        expect(verdictOf(await send({ method: 'PUT', path, headers, body: { ...PAYMENT, metadata: sent } }))).toBe(
          '201',
        );
        const patched = await send({
          method: 'PATCH',
          path,
          headers: { 'if-match': '"v1"' },
          body: { metadata: patch },
        });
        expect(verdictOf(patched)).toBe('200');
        const found = await send({ method: 'GET', path });
        expect(bodyOf(found)['metadata']).toEqual({ ...sent, ...patch });
      }),
      RUNS,
    );
  });
});
