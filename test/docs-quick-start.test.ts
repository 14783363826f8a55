import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { SHAPES, type TestRequest } from './support/http-events.ts';
import { page, ROOT } from './support/pages.ts';
import { useTable } from './support/table.ts';

/** The first example of the README, in a file of its own as it would be pasted, and the handler of the first page. */
const folder = mkdtempSync(join(tmpdir(), 'quick-start-'));
const { tableName } = useTable();
const httpApi = SHAPES.find(({ name }) => name === 'HTTP API (v2)');

beforeAll(() => {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  vi.stubEnv('IDEMPOTENCY_TABLE_NAME', tableName);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', inject('dynamoDBEndpoint'));
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ['the first example of README.md, as pasted', 'readme.ts'],
  ['the first page', 'start.ts'],
])('%s works', async (_, name) => {
  const [, pasted = ''] = /```ts\n([\s\S]*?)```/.exec(page('README.md')) ?? [];
  writeFileSync(join(folder, 'readme.ts'), pasted);
  writeFileSync(join(folder, 'start.ts'), `export * from '${ROOT}examples/start/payments-handler.ts';`);
  const { handler } = await import(join(folder, name));
  const pay = async (key: string | undefined, amount: number) => {
    const headers: TestRequest['headers'] = key === undefined ? [] : [['idempotency-key', key]];
    const event = httpApi?.event({ headers, body: JSON.stringify({ amount }) });
    return httpApi?.read(await handler(event, { functionName: name, getRemainingTimeInMillis: () => 30_000 }));
  };

  const first = await pay(`order-${name}`, 1999);
  expect(first?.statusCode).toBe(201);
  const retry = await pay(`order-${name}`, 1999);
  expect(retry).toMatchObject({ statusCode: 201, body: first?.body });
  expect(retry?.headers['idempotent-replayed']).toBe('true');
  expect(await pay(`order-${name}`, 500)).toMatchObject({ statusCode: 422 });
  expect(await pay(undefined, 1999)).toMatchObject({ statusCode: 400 });
});
