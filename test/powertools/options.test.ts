import { idempotency, idempotent, idempotentTransaction } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { type PowertoolsRecordsOptions, powertoolsRecords } from 'middy-idempotency/powertools';
import { describe, expect, it } from 'vitest';
// The store itself: that of the public name is in memory in the fast loop.
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';

const good: PowertoolsRecordsOptions = { tableName: 'old', mode: 'readThrough', eventKeyJmesPath: 'id' };
const store = dynamoDBStore({ tableName: 'new' });
const guard = { store, key: 'id', operation: 'pay' };

describe('powertoolsRecords refuses at construction', () => {
  it.each([
    ['tableName', undefined],
    ['tableName', ' '],
    ['mode', 'both'],
    ['eventKeyJmesPath', undefined],
    ['eventKeyJmesPath', 'body.['],
    ['eventKeyJmesPath', 'upper(id)'],
    ['payloadValidationJmesPath', '(('],
    ['hashFunction', 'md6'],
    ['keyPrefix', ''],
    ['functionName', 7],
    ['dataIndexArgument', -1],
    ['throwOnNoIdempotencyKey', 'yes'],
    ['acceptRecordsWithoutScope', 'yes'],
    ['client', {}],
    ['sortKeyAttr', 'id'],
    ['expiresAfterSeconds', 60],
  ])('the option %s when it is %o', (option, value) => {
    expect(() => powertoolsRecords({ ...good, [option]: value })).toThrow(`option \`${option}\``);
  });
});

describe('a guard with records of Powertools', () => {
  const migrateFrom = powertoolsRecords(good);
  const mirror = powertoolsRecords({ ...good, mode: 'mirror' });

  it('is refused with a scope, until the user says that the key alone tells callers apart', () => {
    const refusal = /acceptRecordsWithoutScope: true/;
    expect(() => idempotency({ ...guard, scope: 'tenant', migrateFrom })).toThrow(refusal);
    expect(() => httpIdempotency({ store, migrateFrom })).toThrow(refusal);
    expect(() => idempotent(async () => 1, { ...guard, scope: 'tenant', migrateFrom })).toThrow(refusal);
    const accepted = powertoolsRecords({ ...good, acceptRecordsWithoutScope: true });
    expect(() => httpIdempotency({ store, migrateFrom: accepted })).not.toThrow();
  });

  it('needs a fingerprint where the old code validates payloads', () => {
    const validated = powertoolsRecords({ ...good, payloadValidationJmesPath: 'amount' });
    expect(() => idempotency({ ...guard, migrateFrom: validated })).toThrow(/needs the option `fingerprint`/);
    expect(() => idempotency({ ...guard, migrateFrom: validated, fingerprint: 'amount' })).not.toThrow();
  });

  it('mirrors only what one transaction of DynamoDB can write, in the clear', () => {
    const codec = { name: 'none', encode: async () => new Uint8Array(), decode: async () => new Uint8Array() };
    expect(() => idempotency({ ...guard, migrateFrom: mirror })).not.toThrow();
    expect(() => idempotency({ ...guard, store: memoryStore() as never, migrateFrom: mirror })).toThrow(
      /needs dynamoDBStore/,
    );
    expect(() =>
      idempotency({ ...guard, store: dynamoDBStore({ tableName: 'new', codec }), migrateFrom: mirror }),
    ).toThrow(/codec/);
    expect(() => idempotency({ ...guard, store: memoryStore(), migrateFrom })).not.toThrow();
  });

  it('is no transaction without a claim', () => {
    const options = { store, key: 'id', operation: 'pay', migrateFrom } as never;
    expect(() => idempotentTransaction(() => ({ items: [], response: 1 }), options)).toThrow('`migrateFrom`');
  });
});
