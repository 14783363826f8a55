import { gzipSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { IdempotencyError, type RecordStore } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { createIdempotent } from '../../src/function.ts';
import { TestClock, thrownBy } from '../../test/support/harness.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { expectNoPollution, fuzzing, garbage, hostile, type Json } from './support/fuzzing.ts';

const clock = new TestClock();
const SECONDS = clock.now() / 1000;
const OPERATION = 'fuzz';

type Attributes = Readonly<Record<string, Json>>;

/** Items as this package writes them, on the wire. */
const common = { id: { S: `${OPERATION}#x` }, owner: { S: 'somebody' }, attempt: { N: '1' }, fingerprint: { S: 'f' } };
const running = { status: { S: 'IN_PROGRESS' }, leaseUntil: { N: String(clock.now() + 60_000) } };
const completed = { status: { S: 'COMPLETED' }, encoding: { S: 'json' }, outcome: { S: '{"paid":true}' } };
const live = { expiration: { N: String(SECONDS + 86_400) } };
const expired = { expiration: { N: String(SECONDS - 1) } };
const ZIPPED = gzipSync('{"paid":true}').toString('base64');
const IN_PARTS = { status: { S: 'COMPLETED' }, encoding: { S: 'json+gzip' }, digest: { S: 'd' }, parts: { N: '2' } };
const ITEMS: readonly [string, Attributes, 'executes' | 'does not execute'][] = [
  ['running', { ...common, ...live, ...running }, 'does not execute'],
  ['crashed', { ...common, ...live, ...running, leaseUntil: { N: String(clock.now() - 60_000) } }, 'executes'],
  ['completed', { ...common, ...live, ...completed }, 'does not execute'],
  [
    'failed',
    {
      ...common,
      ...live,
      ...completed,
      encoding: { S: 'error+json' },
      outcome: { S: '{"error":{"name":"E","message":"m","code":"c"}}' },
    },
    'does not execute',
  ],
  [
    'without a response',
    { ...common, ...live, status: { S: 'COMPLETED' }, encoding: { S: 'undefined' } },
    'does not execute',
  ],
  [
    'compressed',
    { ...common, ...live, ...completed, encoding: { S: 'json+gzip' }, outcome: { B: ZIPPED } },
    'does not execute',
  ],
  ['in parts', { ...common, ...live, ...IN_PARTS }, 'does not execute'],
  ['expired', { ...common, ...expired, ...completed }, 'executes'],
  ['released', { ...common, ...live, status: { S: 'RELEASED' } }, 'executes'],
];
const NAMES = [
  ...Object.keys({ ...common, ...running, ...completed, ...live, ...IN_PARTS }),
  'S',
  'N',
  'B',
  'M',
  'NULL',
  'L',
  'BOOL',
];

/** A real client on a wire that answers every put with this item, as DynamoDB answers one whose condition fails. */
function storeHolding(item: Json, puts: unknown[] = []): RecordStore {
  const answer = (status: number, body: object) => ({
    response: { statusCode: status, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) },
  });
  const handle = async (request: { headers: Record<string, string>; body: Uint8Array }) => {
    const { ConditionExpression: condition } = JSON.parse(new TextDecoder().decode(request.body));
    if (request.headers['x-amz-target']?.endsWith('GetItem')) return answer(200, { Item: item });
    puts.push(condition);
    // The takeover, and what follows, meets no other.
    if (puts.length > 1) return answer(200, {});
    const __type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
    return answer(400, { __type, message: 'The conditional request failed', Item: item });
  };
  const client = new DynamoDBClient({
    ...LOCAL_ACCESS,
    maxAttempts: 1,
    requestHandler: { handle } as never,
  });
  return dynamoDBStore({ tableName: 'table', client });
}

/** What a guarded function does when it finds the item. */
async function meet(item: Json) {
  let executed = false;
  const charge = createIdempotent(
    async () => {
      executed = true;
      return 'executed';
    },
    { store: storeHolding(item), operation: OPERATION, key: () => 'k', leaseMillis: 60_000 } as never,
    clock,
  ) as () => Promise<unknown>;
  const ending: { returned?: unknown; threw?: unknown } = {};
  try {
    ending.returned = await charge();
  } catch (error) {
    ending.threw = error;
  }
  return { executed, ...ending };
}

const text = (item: Attributes, name: string) => {
  const value = (item[name] as { S?: unknown } | undefined | null)?.S;
  return typeof value === 'string' ? value : undefined;
};
const number = (item: Attributes, name: string) => {
  const value = (item[name] as { N?: unknown } | undefined | null)?.N;
  return typeof value === 'string' && /^-?\d/.test(value) ? Number(value) : Number.NaN;
};

/** Whether the item says, beyond doubt, that nobody holds the record: written apart from the store. */
function isFree(item: Attributes): boolean {
  const status = text(item, 'status') ?? '';
  if (!['IN_PROGRESS', 'COMPLETED', 'RELEASED'].includes(status)) return false;
  if (text(item, 'owner') === undefined || text(item, 'id') === undefined) return false;
  if (!(number(item, 'attempt') >= 1)) return false;
  const expiration = number(item, 'expiration');
  const leaseUntil = number(item, 'leaseUntil');
  if (Number.isNaN(expiration) || (status === 'IN_PROGRESS' && Number.isNaN(leaseUntil))) return false;
  const leaseIsOver = status === 'IN_PROGRESS' && clock.now() >= leaseUntil + 1000;
  return status === 'RELEASED' || leaseIsOver || clock.now() >= expiration * 1000;
}

describe.each(ITEMS)('an item that is %s', (_, item, expected) => {
  it(`${expected} a request, as it is`, async () => {
    expect((await meet(item as Json)).executed).toBe(expected === 'executes');
  });

  it('and was tampered with never leads to an execution that should not be', async () => {
    await fc.assert(
      fc.asyncProperty(garbage(item, NAMES), async (json) => {
        const tampered: Json = JSON.parse(json);
        // Without its item the record has vanished, and the key is free.
        if (tampered === null) return;
        const { executed, threw } = await meet(tampered);
        if (executed) expect(isFree(tampered as Attributes)).toBe(true);
        else if (threw !== undefined && text(tampered as Attributes, 'encoding') !== 'error+json') {
          expect(threw).toBeInstanceOf(IdempotencyError);
        }
        expectNoPollution();
      }),
      fuzzing(80),
    );
  });

  it('and was tampered with is a record or a typed error for whoever reads it', async () => {
    await fc.assert(
      fc.asyncProperty(garbage(item, NAMES), async (json) => {
        const tampered: Json = JSON.parse(json);
        if (tampered === null) return;
        const error = await thrownBy(storeHolding(tampered).read('x'));
        if (error !== undefined) {
          expect(error).toBeInstanceOf(IdempotencyError);
          expect(['RECORD_INVALID', 'STORE_UNAVAILABLE']).toContain((error as IdempotencyError).code);
        }
        expectNoPollution();
      }),
      fuzzing(40),
    );
  });
});

describe.each(['attempt', 'expiration', 'leaseUntil'])('a number that is none, as %s,', (name) => {
  it.each([[], '', ' ', null, 'NaN', 'Infinity', 'x', {}])('is RECORD_INVALID, and not executed: %j', async (N) => {
    const [, crashed] = ITEMS[1] as (typeof ITEMS)[number];
    const { executed, threw } = await meet({ ...crashed, [name]: { N } } as Json);
    expect(executed).toBe(false);
    expect(threw).toMatchObject({ code: 'RECORD_INVALID' });
  });

  it.each([{ B: -1 }, { N: '1', S: 0 }, { S: 1 }, { BOOL: 1 }, { N: '1', S: 'x' }, { M: 1 }, {}])(
    'is RECORD_INVALID under the name of another type, too: %j',
    async (value) => {
      const [, crashed] = ITEMS[1] as (typeof ITEMS)[number];
      const { executed, threw } = await meet({ ...crashed, [name]: value } as Json);
      expect(executed).toBe(false);
      expect(threw).toMatchObject({ code: 'RECORD_INVALID' });
    },
  );
});

describe('a stored outcome', () => {
  const with_ = (encoding: string, outcome: string) => ({
    ...common,
    ...live,
    ...completed,
    encoding: { S: encoding },
    outcome: { S: outcome },
  });
  const json = fc.oneof(
    fc.json(),
    hostile.map((value) => JSON.stringify(value)),
    fc.string({ unit: 'binary' }),
  );

  it('that was tampered with is replayed as it is, or said not to be replayable, and not executed', async () => {
    await fc.assert(
      fc.asyncProperty(json, async (outcome) => {
        const { executed, returned, threw } = await meet(with_('json', outcome) as Json);
        expect(executed).toBe(false);
        if (threw === undefined) expect(returned).toEqual(JSON.parse(outcome));
        else expect(threw).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
        expectNoPollution();
      }),
      fuzzing(150),
    );
  });

  it('of an error that was tampered with is an error all the same, and no other object', async () => {
    const member = fc.constantFrom(
      'name',
      'message',
      'statusCode',
      'expose',
      'code',
      'stack',
      '__proto__',
      'cause',
      'constructor',
      'toString',
    );
    const error = fc.array(fc.tuple(member, hostile), { maxLength: 5 }).map((members) => {
      const texts = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
      return `{"error":{${texts.join(',')}}}`;
    });
    await fc.assert(
      fc.asyncProperty(error, async (outcome) => {
        const { executed, threw } = await meet(with_('error+json', outcome) as Json);
        expect(executed).toBe(false);
        expect(threw).toBeInstanceOf(Error);
        expect(Object.getPrototypeOf(threw)).toBe(Error.prototype);
        expect(threw).not.toBeInstanceOf(TypeError);
        const { name, message, statusCode, expose, code, stack } = threw as Record<string, unknown>;
        for (const value of [name, message, stack]) expect(value).toBeTypeOf('string');
        expect([undefined, 'number']).toContain(statusCode === undefined ? undefined : typeof statusCode);
        expect([undefined, 'boolean']).toContain(expose === undefined ? undefined : typeof expose);
        expect([undefined, 'string', 'number']).toContain(code === undefined ? undefined : typeof code);
        expectNoPollution();
      }),
      fuzzing(150),
    );
  });
});
