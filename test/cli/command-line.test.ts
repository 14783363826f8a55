import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { IdempotencyRecord, InProgressRecord } from 'middy-idempotency';
import { idempotent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { jmespath } from 'middy-idempotency/jmespath';
import { recordId } from 'middy-idempotency/operator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aesGcm } from '../support/aes-gcm-codec.ts';
import { SHAPES } from '../support/http-events.ts';
import { useTable } from '../support/table.ts';
import { command, localEnvironment, MAIN, tableOptions } from './command.ts';

const table = useTable();
const store = dynamoDBStore(table);
const where = tableOptions(table.tableName);
const folder = mkdtempSync(join(tmpdir(), 'cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LONG_AGO = Date.UTC(2024, 0, 1);
const FAR_AHEAD = Date.UTC(2040, 0, 1);

/** A record that a crashed execution has left behind, or one that is running. */
async function left(leaseUntil = LONG_AGO, kept: object = {}): Promise<InProgressRecord> {
  const id = `pay#${randomUUID()}`;
  const base = { id, owner: randomUUID(), attempt: 2, expiration: FAR_AHEAD / 1000 };
  const record: InProgressRecord = { ...base, status: 'IN_PROGRESS', leaseUntil, ...kept };
  await store.insert(record);
  return record;
}

async function completed(json: string): Promise<IdempotencyRecord> {
  const { id, owner, attempt, expiration } = await left();
  const record = { id, owner, attempt, expiration, status: 'COMPLETED', outcome: { type: 'RETURNED', json } } as const;
  await store.replace(record, { owner, status: 'IN_PROGRESS' });
  return record;
}

function file(content: string, extension = 'json'): string {
  const path = join(folder, `${randomUUID()}.${extension}`);
  writeFileSync(path, content);
  return path;
}

describe('show', () => {
  it('shows an unknown outcome', async () => {
    const { id, owner } = await left(LONG_AGO, { fingerprint: 'f' });
    const { exitCode, out, told } = await command(['show', id, ...where]);
    expect({ exitCode, told }).toEqual({ exitCode: 0, told: '' });
    expect(out.split('\n')).toEqual([
      `record      ${id}`,
      'status      IN_PROGRESS (outcome unknown: the lease has ended, and nothing was settled)',
      'operation   pay',
      'attempt     2',
      `owner       ${owner}`,
      'lease       ended 2024-01-01T00:00:00.000Z',
      'expiration  2040-01-01T00:00:00.000Z',
      'fingerprint f',
      '',
    ]);
  });

  it('shows the stored response only when it is asked for', async () => {
    const { id } = await completed('{"statusCode":201,"body":"confidential\\u0085"}');
    for (const format of [[], ['--json']]) {
      const brief = await command(['show', id, ...where, ...format]);
      expect(brief.out).toContain('201');
      expect(brief.out).not.toContain('confidential');
      const full = await command(['show', id, ...where, ...format, '--outcome']);
      expect(full.out).toContain('confidential');
    }
    const { out } = await command(['show', id, ...where, '--outcome']);
    expect(out, 'a terminal is not steered by what is in a table').toContain('confidential\\u0085');
  });

  it('writes out what a terminal obeys or does not show, wherever it comes from', async () => {
    const unseen = {
      'a control character': '\u009b',
      'a bidi override': '\u202e',
      'a bidi isolate': '\u2066',
      'a zero-width space': '\u200b',
      'a byte order mark': '\ufeff',
      'a line separator': '\u2028',
      'a letter without a shape': '\u3164',
      'a tag': '\u{e0041}',
    };
    const all = Object.values(unseen).join('');
    const written = '\\u009b\\u202e\\u2066\\u200b\\ufeff\\u2028\\u3164\\udb40\\udc41';
    const response = { statusCode: 201, body: `paid${all}` };
    const { id } = await completed(JSON.stringify(response));
    const named = `pay#${all}`;
    await left(LONG_AGO, { id: named, owner: all, fingerprint: all, checkpoints: { [all]: '{}' } });
    const json = await command(['show', id, ...where, '--outcome', '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ record: { outcome: { value: response } } });
    const others = [
      ['show', id, ...where, '--outcome'],
      ['show', named, ...where],
      ['show', `none${all}`, ...where],
      ['show', `none${all}`, ...where, '--json'],
      ['show', 'a', `--${all}`],
      ['explain', `none${all}.json`, '--key', 'id', '--operation', 'pay'],
    ];
    for (const { out, told } of [json, ...(await Promise.all(others.map((args) => command(args))))]) {
      expect(out + told).toContain(written);
      const found = Object.entries(unseen).filter(([, character]) => (out + told).includes(character));
      expect(found).toEqual([]);
    }
  });

  it.each([
    ['complete', (path: string) => ['pay#any', '--response', path, '--yes', ...where]],
    ['explain', (path: string) => [path, '--key', 'id', '--operation', 'pay']],
  ])('says where a file is no JSON, and quotes nothing of it: %s', async (name, args) => {
    const { exitCode, told } = await command([name, ...args(file('{"card":"secret" "amount"'))]);
    expect(exitCode).toBe(2);
    expect(told).toMatch(/is not JSON at position 17 \(line 1 column 18\)$/m);
    const other = await command([name, ...args(file('secret'))]);
    expect(other.told).toMatch(/is not JSON$/m);
    expect(told + other.told).not.toContain('secret');
  });

  it('answers in JSON that programs can rely on', async () => {
    const { id, owner } = await left();
    const { out } = await command(['show', id, ...where, '--json']);
    expect(JSON.parse(out)).toEqual({
      record: {
        id,
        operation: 'pay',
        status: 'IN_PROGRESS',
        state: 'outcomeUnknown',
        attempt: 2,
        owner,
        lease: { until: '2024-01-01T00:00:00.000Z', over: true },
        expiration: { at: '2040-01-01T00:00:00.000Z', past: false },
      },
    });
  });

  it('exits with 3 when there is no record', async () => {
    const { exitCode, out, told } = await command(['show', 'pay#none', ...where]);
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' });
    expect(told).toContain('RECORD_NOT_FOUND');
    const json = await command(['show', 'pay#none', ...where, '--json']);
    expect(json).toMatchObject({ exitCode: 3, told: '' });
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'RECORD_NOT_FOUND' } });
  });

  it('exits with 1 and says why when the table cannot be read', async () => {
    const { exitCode, told } = await command(['show', 'pay#a', ...tableOptions('no-such-table')]);
    expect(exitCode).toBe(1);
    expect(told).toMatch(/STORE_UNAVAILABLE: Create the table, .*'no-such-table'/s);
  });
});

describe('in a table of another shape', () => {
  const shape = { partitionKey: 'pk', sortKey: 'sk', ttlAttribute: 'ttl' };
  const shared = useTable(shape);
  const attributes = { id: 'pk', expiration: 'ttl' };
  const own = dynamoDBStore({ ...shared, attributes, sortKey: { name: 'sk', value: 'a=b' } });
  const options = ['--attributes', JSON.stringify(attributes), '--sort-key', 'sk=a=b'];
  beforeAll(async () => void (await own.insert({ ...(await left()), id: 'pay#own' })));

  it('records are found and released', async () => {
    const args = ['pay#own', ...tableOptions(shared.tableName), ...options];
    expect(await command(['show', ...args])).toMatchObject({ exitCode: 0 });
    expect(await command(['release', ...args, '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await own.read('pay#own')).toMatchObject({ status: 'RELEASED', attempt: 2 });
  });
});

describe.each([
  ['release', [], 'RELEASED'],
  ['complete', ['--response', '-'], 'COMPLETED'],
])('%s', (name, options, status) => {
  const resolve = (id: string, ...more: string[]) =>
    command([name, id, ...where, ...options, ...more], { input: '{"charged":true}' });

  it('with --yes resolves an unknown outcome, and shows what the record is now', async () => {
    const { id } = await left();
    const { exitCode, out, told } = await resolve(id, '--yes');
    expect({ exitCode, told }).toEqual({ exitCode: 0, told: '' });
    expect(out).toContain(`status      ${status} (`);
    expect(await store.read(id)).toMatchObject({ status, attempt: 2 });
    const again = await resolve((await left()).id, '--yes', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ record: { status } });
  });

  it('keeps the record for the given retention', async () => {
    const { id } = await left();
    await resolve(id, '--yes', '--retention-seconds', '864000');
    const days = (((await store.read(id))?.expiration ?? 0) - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(9.9);
    expect(days).toBeLessThan(10.1);
  });

  it('refuses a live lease, unless its owner is overruled by name', async () => {
    const record = await left(FAR_AHEAD);
    const refused = await resolve(record.id, '--yes');
    expect(refused).toMatchObject({ exitCode: 4, out: '' });
    expect(refused.told).toContain(`LEASE_LIVE`);
    expect(refused.told).toContain(`--force ${record.owner}`);
    expect(await resolve(record.id, '--yes', '--force', 'somebody')).toMatchObject({ exitCode: 4 });
    expect(await store.read(record.id)).toEqual(record);
    expect(await resolve(record.id, '--yes', '--force', record.owner)).toMatchObject({ exitCode: 0 });
    expect(await store.read(record.id)).toMatchObject({ status });
  });

  it('leaves a completed record alone', async () => {
    const record = await completed('"first"');
    const { exitCode, told } = await resolve(record.id, '--yes');
    expect(exitCode).toBe(4);
    expect(told).toContain('RECORD_SETTLED');
    expect(await store.read(record.id)).toEqual(record);
  });

  it('exits with 3 when there is no record', async () => {
    expect(await resolve('pay#none', '--yes')).toMatchObject({ exitCode: 3 });
  });
});

describe('without a terminal and without --yes', () => {
  it('nothing is written', async () => {
    const record = await left();
    const response = file('{}');
    for (const args of [['release'], ['complete', '--response', response]]) {
      const { exitCode, told } = await command([...args, record.id, ...where], { input: 'yes\n' });
      expect({ exitCode, told }).toEqual({ exitCode: 4, told: expect.stringContaining('NOT_CONFIRMED') });
    }
    expect(await command(['complete', record.id, ...where, '--response', '-'])).toMatchObject({ exitCode: 2 });
    expect(await store.read(record.id)).toEqual(record);
  });
});

describe('complete', () => {
  it('gives retries the response of the file', async () => {
    const operation = randomUUID();
    const event = { id: 'a' };
    const charge = idempotent(async (_event: typeof event) => ({ executed: true }), { store, operation, key: 'id' });
    const id = recordId({ operation, key: 'id', event }) ?? '';
    await store.insert({ ...(await left()), id });
    const response = file('{"charged":true}');
    expect(await command(['complete', id, ...where, '--response', response, '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await charge(event)).toEqual({ charged: true });
  });

  it('stores the response by the codec of the table, and shows it by that', async () => {
    const support = new URL('../support/aes-gcm-codec.ts', import.meta.url);
    const source = `import { aesGcm } from '${support}'; export default aesGcm(new Uint8Array(32));`;
    const codec = ['--codec', file(source, 'mjs')];
    const { id } = await left();
    const response = file('{"card":"confidential"}');
    expect(await command(['complete', id, ...where, ...codec, '--response', response, '--yes'])).toMatchObject({
      exitCode: 0,
    });
    const encrypted = dynamoDBStore({ ...table, codec: aesGcm(new Uint8Array(32)) });
    expect(await encrypted.read(id)).toMatchObject({ outcome: { json: '{"card":"confidential"}' } });
    expect((await command(['show', id, ...where, ...codec, '--outcome'])).out).toContain('confidential');
    expect((await command(['show', id, ...where, '--outcome'])).out).not.toContain('confidential');
  });

  it('can say that the handler returns nothing', async () => {
    const { id } = await left();
    expect(await command(['complete', id, ...where, '--no-response', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await store.read(id)).toMatchObject({ outcome: { type: 'RETURNED' } });
  });

  it.each([
    ['no response', []],
    ['two of them', ['--response', '-', '--no-response']],
    ['a response that is no JSON', ['--response', '-']],
    ['a file that is not there', ['--response', '/nowhere/response.json']],
  ])('refuses %s', async (_, options) => {
    const record = await left();
    const args = ['complete', record.id, ...where, ...options, '--yes'];
    expect(await command(args, { input: 'no json' })).toMatchObject({ exitCode: 2, out: '' });
    expect(await store.read(record.id)).toEqual(record);
  });
});

describe('explain', () => {
  const event = { id: 'order-1', tenant: 't' };

  it('prints the id, what was selected and the fingerprint, of a file or of standard input', async () => {
    const options = ['--key', 'id', '--scope', 'tenant', '--fingerprint', '[id]', '--operation', 'pay'];
    const { exitCode, out } = await command(['explain', file(JSON.stringify(event)), ...options]);
    expect(exitCode).toBe(0);
    expect(out.split('\n')).toEqual([
      'id          pay#-0nXVz58NQi3_2UOXr50k8WE87YRISKRWGy8dnZMnbQ',
      'operation   pay',
      'key         "order-1"',
      'scope       "t"',
      expect.stringMatching(/^fingerprint [\w-]{43}$/),
      '',
    ]);
    const input = { input: JSON.stringify(event) };
    expect((await command(['explain', '-', ...options], input)).out).toBe(out);
    const json = await command(['explain', '-', ...options, '--json'], input);
    expect(JSON.parse(json.out)).toMatchObject({ operation: 'pay', key: 'order-1', scope: 't' });
  });

  it('knows the whole of JMESPath', async () => {
    const key = jmespath('[id, missing || tenant]');
    const options = ['--key', '[id, missing || tenant]', '--scope', "'t'", '--fingerprint', 'keys(@)'];
    const args = ['explain', '-', ...options, '--operation', 'pay', '--json'];
    const { out } = await command(args, { input: JSON.stringify(event) });
    const selectors = { key, scope: jmespath("'t'"), fingerprint: jmespath('keys(@)') };
    expect(JSON.parse(out)).toMatchObject({ id: recordId({ operation: 'pay', event, ...selectors }), scope: 't' });
  });

  it("takes the Lambda function's name for the operation, as the guard does", async () => {
    const input = JSON.stringify(event);
    const args = ['explain', '-', '--key', 'id'];
    expect(await command(args, { input })).toMatchObject({ exitCode: 2 });
    const environment = { AWS_LAMBDA_FUNCTION_NAME: 'pay' };
    expect((await command(args, { input, environment })).out).toMatch(/^id {10}pay#/);
  });

  it('over HTTP prints the id that httpIdempotency uses', async () => {
    const [shape] = SHAPES;
    const headers = [['X-Key', 'a-key']] as const;
    const request = shape?.event({ method: 'PUT', headers, body: '{}' });
    const options = ['--http', '--scope', 'anonymous', '--header', 'X-Key', '--methods', 'put, POST'];
    const args = ['explain', '-', '--operation', 'pay', ...options, '--json'];
    const { out } = await command(args, { input: JSON.stringify(request) });
    const http = { scope: 'anonymous', headerName: 'X-Key', methods: ['PUT'] } as const;
    expect(JSON.parse(out)).toMatchObject({
      id: recordId({ operation: 'pay', event: request, http }),
      key: 'a-key',
      scope: ['anonymous'],
      fingerprint: expect.any(String),
    });
  });

  it('says why a request is refused, with exit code 4', async () => {
    const input = JSON.stringify(event);
    const of = (...args: string[]) => command(['explain', '-', '--operation', 'pay', ...args], { input });
    const { exitCode, out, told } = await of('--key', '[id, amount]');
    expect({ exitCode, out }).toEqual({ exitCode: 4, out: '' });
    expect(told).toMatch(/KEY_MISSING.*its member 1: it is absent.*\nkey +\["order-1",null\]\n$/s);
    expect((await of('--key', 'id', '--scope', 'user')).told).toContain('SCOPE_MISSING');
    expect((await of('--key', 'powertools_json(id)')).told).toMatch(/KEY_INVALID.*\(.+\)/s);
    expect((await of('--http')).told).toContain('no HTTP request');
    expect((await of('--key', "'constant'")).told).toContain('selects the same from requests');
    const { out: json } = await of('--key', 'nothing', '--json');
    expect(JSON.parse(json)).toMatchObject({ error: { code: 'KEY_MISSING' }, key: null });
    const get = { input: JSON.stringify(SHAPES[0]?.event({ method: 'GET' })) };
    const unguarded = await command(['explain', '-', '--operation', 'pay', '--http'], get);
    expect(unguarded).toMatchObject({ exitCode: 4, told: expect.stringMatching(/UNGUARDED.*GET is not guarded/) });
  });
});

describe('the command line', () => {
  it.each([
    [[]],
    [['destroy']],
    [['show', 'pay#a']],
    [['show', ...where]],
    [['show', 'pay#a', 'pay#b', ...where]],
    [['show', 'pay#a', ...where, '--yes']],
    [['show', 'pay#a', ...where, '--attributes', '[]']],
    [['show', 'pay#a', ...where, '--attributes', '{"no":"such"}']],
    [['show', 'pay#a', ...where, '--sort-key', 'sk']],
    [['show', 'pay#a', ...where, '--codec', 'nowhere.js']],
    [['show', 'pay#a', ...where, '--codec', MAIN.replace('main.ts', 'help.ts')]],
    [['show', 'pay#a', ...where, '--codec', file('export default { name: "none" };', 'mjs')]],
    [['show', 'pay#a', '--table', 't', '--endpoint', 'nowhere']],
    [['release', 'pay#a', ...where, '--yes', '--retention-seconds', '-1']],
    [['release', 'pay#a', ...where, '--yes', '--retention-seconds', 'x']],
    [['explain', '-', '--operation', 'pay']],
    [['explain', '-', '--operation', 'pay', '--key', '-id']],
    [['explain', '-', '--operation', 'pay', '--key', 'a(']],
    [['explain', '-', '--operation', 'pay', '--key', 'a', '--http']],
    [['explain', '-', '--operation', 'pay', '--key', 'a', '--header', 'x']],
    [['explain', '/nowhere/event.json', '--operation', 'pay', '--key', 'a']],
  ])('exits with 2 for %j', async (args) => {
    const { exitCode, out, told } = await command(args, { input: '{}' });
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(told).toMatch(/^middy-idempotency: USAGE: .+\n/);
    expect(told).not.toMatch(/\n\s+at /);
    expect(told).not.toContain('\\u');
  });

  it('ends quietly when nobody reads on: what was done is done', async () => {
    const child = spawn(process.execPath, [MAIN, '--help'], { env: localEnvironment() });
    child.stdout.destroy();
    const [told, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect({ told, exitCode }).toEqual({ told: '', exitCode: 0 });
  });

  it('has help for everything', async () => {
    const all = await command(['--help']);
    expect(all).toMatchObject({ exitCode: 0, told: '' });
    for (const name of ['show', 'release', 'complete', 'explain']) {
      expect(all.out).toContain(`\n  ${name} `);
      const one = await command([name, '--help']);
      expect(one).toMatchObject({ exitCode: 0, told: '' });
      expect(one.out).toMatch(new RegExp(`^middy-idempotency ${name} .*Exit codes:`, 's'));
    }
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await command(['--version'])).toEqual({ exitCode: 0, out: `${version}\n`, told: '' });
  });
});
