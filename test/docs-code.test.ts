import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { withIncludedFiles } from '../tools/included-files.ts';
import { PAGES, page, ROOT as root } from './support/pages.ts';

/** Code imports the files that its page shows, as if they were beside it. */
const withFilesOf = (path: string, code: string) =>
  [...page(path).matchAll(/<!-- file: (\S+) -->/g)].reduce(
    (text, [, file = '']) => text.replace(`'./${basename(file)}'`, `'${root}${file}'`),
    code,
  );

const blocks = PAGES.flatMap((path) =>
  [...page(path).matchAll(/(?<!<!-- file: \S+ -->\n)```ts\n([\s\S]*?)```/g)].map(([, code = ''], index) => ({
    name: `${path.replaceAll(/[^A-Za-z0-9]+/g, '-')}-${index + 1}`,
    code: withFilesOf(path, code),
  })),
);

/** What the examples take from their surroundings. */
const SURROUNDINGS: Record<string, string> = {
  middy: `import middy from '@middy/core';`,
  idempotency: `import { idempotency } from 'middy-idempotency';`,
  httpIdempotency: `import { httpIdempotency } from 'middy-idempotency/http';`,
  httpCors: `import httpCors from '@middy/http-cors';`,
  httpErrorHandler: `import httpErrorHandler from '@middy/http-error-handler';`,
  httpJsonBodyParser: `import httpJsonBodyParser from '@middy/http-json-body-parser';`,
  httpResponseSerializer: `import httpResponseSerializer from '@middy/http-response-serializer';`,
  validator: `import validator from '@middy/validator';`,
  Outcome: `import type { Outcome } from 'middy-idempotency';`,
  Settlement: `import type { Settlement } from 'middy-idempotency';`,
  IdempotencyHandle: `import type { IdempotencyHandle } from 'middy-idempotency';`,
  idempotent: `import { idempotent } from 'middy-idempotency';`,
  store: `declare const store: import('middy-idempotency').RecordStore<import('middy-idempotency/dynamodb').TransactionItem>;`,
  Order: `interface Order { readonly id: string }`,
  stock: `declare const stock: { reserve(order: unknown): Promise<{ id: string }>; confirm(id: string): Promise<void> };`,
  sendMail: `declare function sendMail(order: unknown): Promise<void>;`,
  importRows: `declare function importRows(file: unknown, options: { signal: AbortSignal }): Promise<number>;`,
  processor: `declare const processor: { charge(order: unknown, options: { idempotencyKey: string | undefined }): Promise<{ id: string }> };`,
  charge: `declare function charge(order: { id: string }): Promise<{ id: string }>;`,
  order: `declare const order: { id: string };`,
  bookOnce: `declare function bookOnce(record: import('aws-lambda').SQSRecord, context: import('aws-lambda').Context): Promise<string>;`,
  message: `declare const message: import('aws-lambda').SQSRecord;`,
  sqsBodyKey: `import { sqsBodyKey } from 'middy-idempotency/events';`,
  orderSaga: `import { orderSaga } from '${root}infra/examples/order-saga.ts';`,
  services: `declare const services: Parameters<typeof orderSaga>[0];`,
  createPayment: `declare const createPayment: (event: unknown) => Promise<{ statusCode: number }>;`,
  paymentsFunction: `declare const paymentsFunction: import('aws-cdk-lib/aws-lambda').Function;`,
  origin: `declare const origin: string;`,
  test: `import { test } from 'node:test';`,
  payment: `import { payment } from '${root}examples/test-your-handler/payment.ts';`,
  fakePorts: `import { fakePorts } from '${root}examples/test-your-handler/ports.ts';`,
  openTelemetryEvents: `import { openTelemetryEvents } from '${root}examples/opentelemetry/events.ts';`,
  powertoolsEvents: `import { powertoolsEvents } from '${root}examples/beside-powertools/events.ts';`,
  serializers: `declare const serializers: Parameters<typeof httpResponseSerializer>[0];`,
  eventSchema: `declare const eventSchema: NonNullable<NonNullable<Parameters<typeof validator>[0]>['eventSchema']>;`,
};

function asModule(code: string): string {
  const declared = (name: string) =>
    new RegExp(`(const|function|type|interface|import) (${name}\\b|(type )?\\{[^}]*\\b${name}\\b[^}]*\\} from)`).test(
      code,
    );
  const used = (name: string, text: string) => new RegExp(`(?<![.'"\\w-])${name}(?![\\w'"-])`).test(text);
  const names = Object.keys(SURROUNDINGS);
  const direct = names.filter((name) => used(name, code) && !declared(name));
  const all = names.filter(
    (name) => direct.includes(name) || (direct.some((one) => used(name, SURROUNDINGS[one] ?? '')) && !declared(name)),
  );
  // In a construct, `this` is the scope.
  const body = /\bthis\b/.test(code)
    ? code
        .replace(/^(import .*\n)+/, "$&declare const self: Stack;\nimport type { Stack } from 'aws-cdk-lib';\n")
        .replaceAll('this,', 'self,')
    : code;
  return [...all.map((name) => SURROUNDINGS[name]), body, 'export {};'].join('\n');
}

it.each(PAGES)('%s shows files as they are (npm run docs:files writes them)', (path) =>
  expect(page(path)).toBe(withIncludedFiles(page(path), page)),
);

it('the code of the README and of every page compiles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-code-'));
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
    const paths = Object.fromEntries(
      Object.entries<string[]>(compilerOptions.paths).map(([name, [path = '']]) => [name, [join(root, path)]]),
    );
    // A snippet that imports what has no path yet waits for it.
    const compiled = blocks.filter(({ code }) =>
      [...code.matchAll(/from '(middy-idempotency[^']*)'/g)].every(([, name = '']) => name in paths),
    );
    const options = { ...compilerOptions, paths, noUnusedLocals: false, noPropertyAccessFromIndexSignature: false };
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }));
    for (const { name, code } of compiled) writeFileSync(join(folder, `${name}.ts`), asModule(code));
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(compiled.length).toBeGreaterThan(30);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
