import { createHash } from 'node:crypto';
import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { legacyIdentity } from '../../src/powertools/legacy-id.ts';
import { type PowertoolsRecordsOptions, resolvePowertools } from '../../src/powertools/options.ts';

type Config = ConstructorParameters<typeof IdempotencyConfig>[0];

/** The ids as the real package computes them. */
function peers(event: unknown, config: Config, keyPrefix?: string, layer: object = {}) {
  class Layer extends DynamoDBPersistenceLayer {
    ids() {
      return { id: this.getHashedIdempotencyKey(event as never), validation: this['getHashedPayload'](event as never) };
    }
    key(id: string) {
      return this.getKey(id);
    }
  }
  const persistence = new Layer({ tableName: 'any', ...layer });
  persistence.configure({ config: new IdempotencyConfig(config), ...(keyPrefix !== undefined && { keyPrefix }) });
  return persistence;
}

const ours = (event: unknown, options: Partial<PowertoolsRecordsOptions>) =>
  legacyIdentity(resolvePowertools({ tableName: 'any', mode: 'readThrough', eventKeyJmesPath: '', ...options }), [
    event,
  ]);

/** Keys that differ only in case, a member `__proto__`, texts that are no UTF-16: whatever JSON can carry. */
const jsonValue = fc.oneof(
  fc.jsonValue({ noUnicodeString: false }),
  fc.dictionary(fc.constantFrom('a', 'A', 'b', 'B', 'aB', 'Ab', '__proto__', 'ß', 'İ', '1', '10', '2'), fc.jsonValue()),
);

const isGap = (key: unknown): boolean =>
  key === null || (typeof key === 'object' && Object.values(key as object).every(isGap));

it('is the id of Powertools for any key and validated payload', () => {
  fc.assert(
    fc.property(jsonValue, jsonValue, (key, payload) => {
      // As an event comes: from JSON.
      const event = JSON.parse(JSON.stringify({ key, payload }));
      const config = { eventKeyJmesPath: 'key', payloadValidationJmesPath: 'payload' };
      const found = ours(event, { ...config, keyPrefix: ' pay ' });
      // Powertools runs a request without a key as if it had no guard, or with a record that all of them share.
      if (isGap(event.key)) expect(found).toBeUndefined();
      else expect(found).toEqual(peers(event, config, ' pay ').ids());
    }),
    { numRuns: 300 },
  );
});

it('is the id of Powertools for a whole event, another hash, expressions and functions', () => {
  const event = { body: '{"b":1,"a":[{"Z":1,"y":2}]}', headers: { Key: 'k' } };
  for (const [eventKeyJmesPath, hashFunction] of [
    ['', 'md5'],
    ['powertools_json(body).[a, b]', 'sha256'],
    ['headers.Key', 'sha512'],
    ['{key: headers.Key, first: powertools_json(body).a[0]}', 'md5'],
    ["join('/', [headers.Key, headers.Key])", 'md5'],
  ] as const) {
    const config = { eventKeyJmesPath, hashFunction };
    expect(ours(event, { ...config, functionName: 'f', keyPrefix: 'p' })?.id).toBe(peers(event, config, 'p').ids().id);
  }
  class Own extends PowertoolsFunctions {}
  const jmesPathOptions = new Own();
  expect(ours(event, { eventKeyJmesPath: 'headers.Key', jmesPathOptions, keyPrefix: 'p' })?.id).toBe(
    peers(event, { eventKeyJmesPath: 'headers.Key', jmesPathOptions: jmesPathOptions as never }, 'p').ids().id,
  );
});

it("has the function's name for a prefix, as Powertools does", () => {
  const digest = createHash('md5').update('"k"').digest('base64');
  expect(ours({ id: 'k' }, { eventKeyJmesPath: 'id', functionName: 'charge' })?.id).toBe(`charge#${digest}`);
  expect(ours({ id: 'k' }, { eventKeyJmesPath: 'id', functionName: 'charge', keyPrefix: '  ' })?.id).toBe(
    `charge#${digest}`,
  );
});

it('reads the argument that makeIdempotent reads', () => {
  const options = resolvePowertools({
    tableName: 'any',
    mode: 'readThrough',
    eventKeyJmesPath: 'id',
    dataIndexArgument: 1,
  });
  expect(legacyIdentity(options, ['first', { id: 'k' }])?.id).toBe(ours({ id: 'k' }, { eventKeyJmesPath: 'id' })?.id);
});

it('refuses what Powertools refuses, and says which expression it was', () => {
  const read = () => ours({ body: '{' }, { eventKeyJmesPath: "join('/', body)" });
  const advice = expect.stringContaining("join('/', body)");
  expect(read).toThrow(expect.objectContaining({ code: 'KEY_INVALID', advice }));
  const strict = { eventKeyJmesPath: '[id, name]', throwOnNoIdempotencyKey: true };
  expect(() => peers({ body: '{' }, { eventKeyJmesPath: "join('/', body)" }).ids()).toThrow('join()');
  expect(() => peers({ id: '' }, strict).ids()).toThrow('No data found');
  expect(() => ours({ id: '' }, strict)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  expect(ours({ id: 0, name: 'n' }, strict)?.id).toBeDefined();
});
