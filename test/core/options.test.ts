import middy from '@middy/core';
import { idempotency, idempotent } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_OPTION_NAMES } from '../../src/core/options.ts';
import { createIdempotent } from '../../src/function.ts';
import { createIdempotency } from '../../src/middy/idempotency.ts';
import { REQUEST_OPTION_NAMES } from '../../src/request-key/request-options.ts';
import { lambdaContext, newOrder, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards(() => memoryStore());
const store = memoryStore();
const good = { store, key: 'id', operation: 'pay' };

const WRONG: [option: string, value: unknown][] = [
  ['store', undefined],
  ['store', {}],
  ['store', { insert: () => undefined }],
  ['key', undefined],
  ['key', ''],
  ['key', 42],
  ['key', 'powertools_json(body'],
  ['key', 'orders[?id ==]'],
  ['key', 'powertools_jsn(body).id'],
  ['key', 'items[].nope(id)'],
  ['key', "join(',', [upper(id)])"],
  ['scope', 'tenant.'],
  ['scope', null],
  ['fingerprint', '{a: }'],
  ['operation', ''],
  ['operation', '  '],
  ['operation', 7],
  ['operation', 'o'.repeat(1025)],
  ['retentionSeconds', 0],
  ['retentionSeconds', -1],
  ['retentionSeconds', Number.NaN],
  ['retentionSeconds', Number.POSITIVE_INFINITY],
  ['retentionSeconds', '60'],
  ['leaseMillis', 0],
  ['leaseMillis', '1000'],
  ['leaseMillis', Number.MAX_SAFE_INTEGER],
  ['retentionSeconds', Number.MAX_SAFE_INTEGER],
  ['key', "join(',')"],
  ['key', 'to_string(id, tenant)'],
  ['clockSkewMillis', -1],
  ['onMissingKey', 'ignore'],
  ['onInFlight', 'wait'],
  ['onInFlight', null],
  ['onInFlight', {}],
  ['onInFlight.waitMillis', { waitMillis: 0 }],
  ['onInFlight.waitMillis', { waitMillis: '100' }],
  ['onInFlight.waitMillis', { waitMillis: Number.POSITIVE_INFINITY }],
  ['onInFlight', { waitMillis: 100, pollMillis: 10 }],
  ['onExpiredLease', 'retry'],
  ['settle', 'store'],
  ['migrateFrom', {}],
  ['migrateFrom', null],
  ['onEvent', {}],
  ['retentionMillis', 1],
  ['keys', 'id'],
];

const WRONG_CACHES: [option: string, value: unknown][] = [
  ['cache', true],
  ['cache', null],
  ['cache', { maxEntries: 5, ttl: 1 }],
  ['cache', {}],
  ['cache.maxEntries', { maxEntries: 0 }],
  ['cache.maxEntries', { maxEntries: 1.5 }],
  ['cache.maxEntries', { maxEntries: 1e9 }],
  ['cache.maxEntries', { maxEntries: '5' }],
];

const WRONG_AND_WHY: [options: object, why: string][] = [
  [{ onInFlight: 'wait' }, "must be 'throw' or { waitMillis }, not 'wait'"],
  [{ onInFlight: { waitSeconds: 5 } }, "must be 'throw' or { waitMillis }, not { waitSeconds }"],
  [{ onInFlight: { waitMillis: -1 } }, 'must be a finite number above 0 and at most 31536000000, not -1'],
  [{ cache: true }, 'must be { maxEntries }'],
  [{ cache: { maxEntries: 1.5 } }, 'must be an integer'],
  [{ cache: { maxEntries: 0 } }, 'must be a finite number at least 1 and at most 1000000, not 0'],
  [{ clockSkewMillis: -1 }, 'must be a finite number at least 0 and at most 31536000000, not -1'],
];

describe('a wrong option is refused at construction, by its name', () => {
  it.each(WRONG_AND_WHY)('and says what is right: %j', (wrong, why) => {
    expect(() => idempotency({ ...good, ...wrong } as never)).toThrow(`: ${why}`);
  });

  it.each(WRONG_CACHES)('of the cache, %s: %j', (option, cache) => {
    expect(() => idempotency({ ...good, cache } as never)).toThrow(`option \`${option}\``);
  });

  it.each(WRONG)('%s: %j', (option, value) => {
    const options = { ...good, [option.replace(/\..*/, '')]: value };
    const error = expect.objectContaining({
      name: 'TypeError',
      message: expect.stringContaining(`option \`${option}\``),
    });
    expect(() => idempotency(options as never)).toThrow(error);
    expect(() => idempotent(async () => undefined, options as never)).toThrow(error);
  });

  it.each<[string, unknown, string]>([
    ['store', null, 'is required: a RecordStore, such as dynamoDBStore({ tableName })'],
    ['store', 7, 'is required: a RecordStore, such as dynamoDBStore({ tableName })'],
    ['retentionSeconds', 0, 'must be a finite number above 0 and at most 3153600000, not 0'],
    ['retentionSeconds', 3_153_600_001, 'must be a finite number above 0 and at most 3153600000, not 3153600001'],
    ['leaseMillis', '1000', "must be a finite number above 0 and at most 31536000000, not '1000'"],
    ['leaseMillis', 31_536_000_001, 'must be a finite number above 0 and at most 31536000000, not 31536000001'],
    ['clockSkewMillis', -1, 'must be a finite number at least 0 and at most 31536000000, not -1'],
    ['clockSkewMillis', 31_536_000_001, 'must be a finite number at least 0 and at most 31536000000, not 31536000001'],
    ['onExpiredLease', 'retry', "must be 'run' or 'throw', not 'retry'"],
    ['onExpiredLease', 7, "must be 'run' or 'throw', not 7"],
    ['settle', 'store', "must be a function, not 'store'"],
    ['onEvent', {}, 'must be a function, not an empty object'],
    ['onEvent', ['log'], 'must be a function, not a list'],
  ])('%s: %j says why', (option, value, why) => {
    const message = `middy-idempotency: option \`${option}\`: ${why}`;
    expect(() => idempotency({ ...good, [option]: value } as never)).toThrow(new TypeError(message));
  });

  it.each([
    ['retentionSeconds', 3_153_600_000],
    ['leaseMillis', 31_536_000_000],
    ['clockSkewMillis', 0],
    ['clockSkewMillis', 31_536_000_000],
  ])('but not %s: %j', (option, value) => {
    expect(() => idempotency({ ...good, [option]: value } as never)).not.toThrow();
  });

  it.each(['insert', 'replace', 'remove', 'read'])('store without %s', (verb) => {
    expect(() => idempotency({ ...good, store: { ...store, [verb]: undefined } as never })).toThrow('option `store`');
  });

  it('what is known is said', () => {
    expect(() => idempotency({ ...good, keys: 'id' } as never)).toThrow(
      'option `keys`: is not known. Known are store, retentionSeconds, leaseMillis, clockSkewMillis',
    );
    expect(() => idempotency(null as never)).toThrow('option `options`: must be an object, not null');
  });

  it('timeoutEarlyInMillis', () => {
    expect(() => idempotency({ ...good, timeoutEarlyInMillis: -1 })).toThrow('option `timeoutEarlyInMillis`');
  });

  it('options that are no object', () => {
    expect(() => idempotency(undefined as never)).toThrow('option `options`');
    expect(() => idempotency(null as never)).toThrow('option `options`');
  });

  it('a function that is none', () => {
    expect(() => idempotent('charge' as never, good as never)).toThrow('fn must be a function');
  });

  it('renewLease', () => {
    const renewing = () => idempotent(async (_id: string) => undefined, { ...good, renewLease: 1 as never });
    expect(renewing).toThrow('option `renewLease`');
    expect(() => idempotency({ ...good, renewLease: true } as never)).toThrow('option `renewLease`');
  });

  it.each(['no', 0, 1, null])('passHandle: %j', (passHandle) => {
    const passing = () => idempotent(async (_id: string) => undefined, { ...good, passHandle } as never);
    expect(passing).toThrow('option `passHandle`: must be true or false');
    expect(() => idempotency({ ...good, passHandle } as never)).toThrow('option `passHandle`: is not known');
  });

  it('passHandle together with unguarded executions, which have none', () => {
    const options = { ...good, passHandle: true, onMissingKey: 'run' } as const;
    expect(() => idempotent(async (_id: string) => undefined, options as never)).toThrow('option `passHandle`');
  });
});

describe('an option that is undefined is not given', () => {
  const REQUIRED = ['store', 'key'];
  const names = [...PROTOCOL_OPTION_NAMES, ...REQUEST_OPTION_NAMES].filter((name) => !REQUIRED.includes(name));
  const records = async (run: (order: unknown) => Promise<unknown>) => {
    guards.events.length = 0;
    const order = newOrder();
    const outcomes = [await run(order), await run(order), await thrownBy(run({}))];
    const [claimed] = guards.events;
    const record = await guards.store.read(claimed?.id ?? '');
    return { outcomes, types: guards.eventTypes(), expiration: record?.expiration, operation: claimed?.operation };
  };
  const given = () => ({ store: guards.store, key: 'id', onEvent: (event: never) => void guards.events.push(event) });
  beforeAll(() => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'from-the-environment';
  });
  afterAll(() => void delete process.env['AWS_LAMBDA_FUNCTION_NAME']);

  it.each([...names, 'timeoutEarlyInMillis'])('in Middy: %s', async (name) => {
    const handled = async (options: object) => {
      const middleware = createIdempotency({ ...given(), ...options } as never, guards.clock);
      const lambda = middy().handler(async () => 'done');
      lambda.use(middleware as never);
      return records((event) => lambda(event as never, lambdaContext(guards.clock)) as Promise<unknown>);
    };
    if (name === 'onEvent') return expect(() => idempotency({ ...good, onEvent: undefined as never })).not.toThrow();
    expect(await handled({ [name]: undefined })).toEqual(await handled({}));
  });

  it.each([...names, 'passHandle', 'renewLease'])('of a function: %s', async (name) => {
    const called = (options: object) =>
      records(
        createIdempotent(
          (async (...args: unknown[]) => args.length) as never,
          { ...given(), ...options } as never,
          guards.clock,
        ) as never,
      );
    if (name === 'onEvent') {
      return expect(() => idempotent(async () => 1, { ...good, onEvent: undefined as never })).not.toThrow();
    }
    expect(await called({ [name]: undefined })).toEqual(await called({}));
  });

  it.each(REQUIRED)('%s, which is required', (name) => {
    expect(() => idempotency({ ...good, [name]: undefined } as never)).toThrow(`option \`${name}\`: is required`);
    expect(() => idempotent(async () => 1, { ...good, [name]: undefined } as never)).toThrow(
      `option \`${name}\`: is required`,
    );
  });
});

describe('operation', () => {
  it("is the function's name in Lambda", async () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'from-the-environment';
    try {
      guards.events.length = 0;
      const call = guards.guarded({ handler: async () => 'done', options: { operation: undefined as never } });
      await call(newOrder());
      expect(guards.events[0]?.operation).toBe('from-the-environment');
    } finally {
      delete process.env['AWS_LAMBDA_FUNCTION_NAME'];
    }
  });

  it("is the context's function name where the environment has none", async () => {
    guards.events.length = 0;
    const call = guards.guarded({ handler: async () => 'done', options: { operation: undefined as never } });
    await call(newOrder(), { ...lambdaContext(guards.clock), functionName: 'from-the-context' });
    expect(guards.events[0]?.operation).toBe('from-the-context');
  });

  it('is missing where neither has one: set it, or give the context a name', async () => {
    const call = guards.guarded({ handler: async () => 'done', options: { operation: undefined as never } });
    const { functionName: _, ...context } = lambdaContext(guards.clock);
    await expect(call(newOrder(), context as never)).rejects.toThrow(
      'middy-idempotency: option `operation`: is missing: set it, or give the context a functionName',
    );
  });

  it('must be given to a guarded function outside Lambda: its own name changes with every build', () => {
    const { operation: _, ...options } = good;
    expect(() => idempotent(async (_id: string) => undefined, options)).toThrow('option `operation`');
  });
});
