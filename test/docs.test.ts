import { existsSync, globSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { IdempotencyErrorCode, IdempotencyEventType, IdempotencyHandle } from 'middy-idempotency';
import type { IdempotencyTableProps } from 'middy-idempotency/cdk';
import type { DynamoDBStoreOptions } from 'middy-idempotency/dynamodb';
import type { DynamoDBStoreOptions as LiteStoreOptions } from 'middy-idempotency/dynamodb/lite';
import { describe, expect, it } from 'vitest';
import { helpText } from '../src/cli/help.ts';
import { PROTOCOL_OPTION_NAMES } from '../src/core/options.ts';
import { HTTP_OPTION_NAMES } from '../src/http/options.ts';
import { REQUEST_OPTION_NAMES } from '../src/request-key/request-options.ts';
import type { AttributeNames } from '../src/stores/dynamodb/options.ts';
import { PAGES, page, ROOT, sectionOf, withoutCode } from './support/pages.ts';

const manifest = JSON.parse(page('package.json'));
const README_LINES = 300;
const PAGE_LINES = 400;

// Typed as records, so that a new code or event does not compile until it is named here, and then on its page.
const CODES: Record<IdempotencyErrorCode, true> = {
  KEY_MISSING: true,
  SCOPE_MISSING: true,
  KEY_INVALID: true,
  KEY_REUSED: true,
  IN_FLIGHT: true,
  OUTCOME_UNKNOWN: true,
  LEASE_LOST: true,
  RESPONSE_NOT_REPLAYABLE: true,
  RECORD_INVALID: true,
  STORE_UNAVAILABLE: true,
};
const EVENTS: Record<IdempotencyEventType, true> = {
  claimed: true,
  takenOver: true,
  replayed: true,
  notReplayable: true,
  inFlight: true,
  keyReused: true,
  outcomeUnknown: true,
  claimFailed: true,
  completed: true,
  released: true,
  held: true,
  leaseLost: true,
  completionFailed: true,
  releaseFailed: true,
  settlePolicyFailed: true,
  unguarded: true,
  refused: true,
  waiting: true,
  checkpointed: true,
  stepSkipped: true,
  checkpointFailed: true,
};

/** Its anchors are schedules: `docs/playground/links.test.ts` knows them. */
const PLAYGROUND = 'docs/playground.md';
const PROMISES = Array.from({ length: 16 }, (_, index) => `I${index + 1}`);

const MEMBERS: Record<keyof IdempotencyHandle, true> = {
  id: true,
  attempt: true,
  leaseUntil: true,
  signal: true,
  deriveKey: true,
  extend: true,
  step: true,
  complete: true,
  transact: true,
};
const ATTRIBUTES: Record<keyof AttributeNames, true> = {
  id: true,
  status: true,
  owner: true,
  attempt: true,
  leaseUntil: true,
  expiration: true,
  fingerprint: true,
  outcome: true,
  encoding: true,
  parts: true,
  digest: true,
  checkpoints: true,
  revision: true,
  transaction: true,
};
const STORE_OPTIONS: Record<keyof DynamoDBStoreOptions, true> = {
  tableName: true,
  client: true,
  attributes: true,
  sortKey: true,
  codec: true,
};
const LITE_OPTIONS: Record<Exclude<keyof LiteStoreOptions, keyof DynamoDBStoreOptions>, true> = {
  region: true,
  endpoint: true,
  credentials: true,
};
const TABLE_PROPS: Record<keyof IdempotencyTableProps, true> = {
  tableName: true,
  encryptionKey: true,
  pointInTimeRecovery: true,
  deletionProtection: true,
  removalPolicy: true,
  replicaRegions: true,
  replicaKeyArns: true,
  tags: true,
};

const COMMANDS = ['show', 'release', 'complete', 'explain', 'migrate check'] as const;
const flags = new Set(COMMANDS.flatMap((command) => helpText(command).match(/--[a-z-]+/g) ?? []));

const linesOf = (path: string) => page(path).split('\n').length - 1;

describe('the README', () => {
  it(`has at most ${README_LINES} lines`, () => expect(linesOf('README.md')).toBeLessThanOrEqual(README_LINES));

  it.each(['npm ci && npm test', 'npm ci && npm start', 'npx cdk deploy', 'npm install middy-idempotency'])(
    'has the command %s',
    (command) => expect(page('README.md')).toContain(`\n${command}`),
  );
});

describe('the comparison in the README', () => {
  const { findings, tables } = JSON.parse(page('bench/results.json'));
  const rowsOf = (title: string) => tables.find((table: { title: string }) => table.title.startsWith(title)).rows;
  const row = (title: string, name: unknown) => rowsOf(title).find(([first]: unknown[]) => first === name);
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`;

  it('has the figures of the last benchmark', () => {
    const latency = findings.find(
      ({ name, unit }: Record<string, string>) => name === 'p50, first call, SDK' && unit === "of the peer's",
    );
    const [, ours, peer] = row('Write units', 20_000);
    const [, , bytes] = row('Cold start', 'ours, SDK external');
    const [, , peerBytes] = row('Cold start', 'peer, SDK external');
    const readme = page('README.md');
    expect(readme).toContain(`| ${latency.value.toFixed(2)} of the peer's | 1 |`);
    expect(readme).toContain(`response of 20 KB | ${ours} | ${peer} |`);
    expect(readme).toContain(`SDK external | ${kilobytes(bytes)} | ${kilobytes(peerBytes)} |`);
  });
});

describe('the pages', () => {
  it.each(PAGES.filter((path) => path !== 'README.md'))(`%s has fewer than ${PAGE_LINES} lines`, (path) =>
    expect(linesOf(path)).toBeLessThan(PAGE_LINES),
  );

  it('are all in the index, or in the list of decisions', () => {
    const listed = ['docs/README.md', 'docs/adr/README.md'].flatMap((index) => linksOf(index).map(({ file }) => file));
    expect(PAGES.filter((path) => path !== 'README.md' && path !== 'docs/README.md' && !listed.includes(path))).toEqual(
      [],
    );
  });

  it.each(PAGES)('%s has no dead link', (path) => {
    const dead = linksOf(path).filter(
      ({ file, anchor }) =>
        !existsSync(join(ROOT, file)) ||
        (anchor !== undefined && file !== PLAYGROUND && !anchorsOf(file).includes(anchor)),
    );
    expect(dead).toEqual([]);
  });
});

describe('the reference', () => {
  it.each([...PROTOCOL_OPTION_NAMES, ...REQUEST_OPTION_NAMES, 'timeoutEarlyInMillis', 'passHandle', 'renewLease'])(
    'has the option %s',
    (name) => expect(page('docs/reference/options.md')).toContain(`\n| \`${name}\` |`),
  );

  it.each(HTTP_OPTION_NAMES)('has the option %s of httpIdempotency', (name) =>
    expect(sectionOf('docs/reference/http.md', 'Options')).toContain(`\n| \`${name}\` |`),
  );

  it.each(Object.keys(CODES))('has the error %s', (code) =>
    expect(page('docs/reference/errors.md')).toContain(`\n| \`${code}\` |`),
  );

  it.each(Object.keys(CODES))('has the problem of %s', (code) =>
    expect(sectionOf('docs/reference/http.md', 'Problems')).toContain(`| \`${code}\` |`),
  );

  it.each(Object.keys(EVENTS))('has the event %s', (type) =>
    expect(page('docs/reference/events.md')).toContain(`\n| \`${type}\` |`),
  );

  it.each(Object.keys(MEMBERS))('has the member %s of the handle', (name) =>
    expect(page('docs/reference/handle.md')).toMatch(new RegExp(`\\n\\| \`${name}[(\`]`)),
  );

  it.each(Object.keys(ATTRIBUTES))('has the attribute %s', (name) =>
    expect(sectionOf('docs/reference/record.md', 'Attributes')).toContain(`\n| \`${name}\` |`),
  );

  it.each(Object.keys(STORE_OPTIONS))('has the option %s of dynamoDBStore', (name) =>
    expect(page('docs/reference/stores.md')).toContain(`\n| \`${name}\` |`),
  );

  it.each(Object.keys(LITE_OPTIONS))('has the option %s of dynamoDBStore without the SDK', (name) =>
    expect(sectionOf('docs/reference/stores.md', '`dynamoDBStore` without the SDK')).toContain(`\n| \`${name}\` |`),
  );

  it.each(Object.keys(TABLE_PROPS))('has the prop %s of IdempotencyTable', (name) =>
    expect(sectionOf('docs/recipes/cdk.md', 'Props')).toContain(`\n| \`${name}\` |`),
  );

  it.each([...COMMANDS])('has the command %s', (command) =>
    expect(page('docs/reference/cli.md')).toContain(`\n| \`${command} `),
  );

  it.each([...flags])('has %s of the command line', (flag) => expect(page('docs/reference/cli.md')).toContain(flag));
});

describe('the explanation', () => {
  it.each(PROMISES)('states the promise %s', (promise) =>
    expect(page('docs/explain/guarantees.md')).toContain(`\n| ${promise} |`),
  );
});

describe('the page of dependencies', () => {
  const dependencies = Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.devDependencies,
    ...JSON.parse(page('docs/package.json')).devDependencies,
  });
  const named = [...page('docs/dependencies.md').matchAll(/^\| ((?:`[^`]+`(?:, )?)+)/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );

  it.each(dependencies)('gives a reason for %s', (name) => expect(named).toContain(name));

  it('names nothing else', () => expect(named.filter((name) => !dependencies.includes(name ?? ''))).toEqual([]));
});

describe('what happens when', () => {
  it.each(PROMISES)('has a section for the promise %s', (promise) =>
    expect(page('docs/what-happens-when/promises.md')).toContain(`\n## ${promise}: `),
  );

  it.each(globSync('docs/what-happens-when/*.md', { cwd: ROOT }))(
    '%s has a diagram, a schedule to play, and what one sees',
    (path) => {
      const text = page(path);
      expect(text).toContain('```mermaid\nsequenceDiagram');
      expect(text).toMatch(/\.\.\/playground\.md#[a-z0-9-]+\)/);
      expect(text).toMatch(/What the client sees|\*\*Client:\*\*/);
      expect(text).toMatch(/What the operator sees|\*\*Operator:\*\*/);
    },
  );
});

interface Link {
  readonly file: string;
  readonly anchor?: string;
}

/** The relative ones. */
function linksOf(path: string): readonly Link[] {
  return [...withoutCode(page(path)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [name = '', anchor] = target.split('#');
    const file = name === '' ? path : normalize(join(dirname(path), name));
    return [{ file, ...(anchor !== undefined && { anchor }) }];
  });
}

/** As GitHub makes them. */
function anchorsOf(path: string): readonly string[] {
  return [...withoutCode(page(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
