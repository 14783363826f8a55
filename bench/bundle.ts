import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the SDK comes from: the bundle, or the runtime's own `node_modules`. */
export type Sdk = 'bundled' | 'external';
export type Entry =
  | 'base'
  | 'floor'
  | 'guardedHandler'
  | 'guardedApi'
  | 'guardedLite'
  | 'lite'
  | 'litePrimed'
  | 'middy'
  | 'ours'
  | 'peer'
  | 'primed'
  | 'raw';

export interface Bundle {
  readonly code: string;
  readonly bytes: number;
  readonly gzipped: number;
  /** Bytes of each package in it, and of our own files. */
  readonly inputs: ReadonlyMap<string, number>;
}

const SETTINGS = `{
  region: 'eu-central-1',
  endpoint: process.env.DYNAMODB_ENDPOINT,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
}`;
const BASE = `
  import middy from '@middy/core';
  import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
  const client = new DynamoDBClient(${SETTINGS});
  const tableName = 'idempotency';
  const key = '[headers."idempotency-key", powertools_json(body).orderId]';
  const respond = async () => ({ statusCode: 201, body: '{"id":"ord_1"}' });`;

const OURS = `${BASE}
  import { idempotency } from './src/index.ts';
  import { dynamoDBStore } from './src/stores/dynamodb.ts';
  const store = dynamoDBStore({ tableName, client });
  export const handler = middy().use(idempotency({ store, key })).handler(respond);`;

const LITE = `
  import middy from '@middy/core';
  import { idempotency } from './src/index.ts';
  import { dynamoDBStore } from './src/stores/dynamodb/lite.ts';
  const store = dynamoDBStore({ tableName: 'idempotency', ...${SETTINGS} });
  const key = '[headers."idempotency-key", powertools_json(body).orderId]';
  export const handler = middy()
    .use(idempotency({ store, key }))
    .handler(async () => ({ statusCode: 201, body: '{"id":"ord_1"}' }));`;

/** A Middy handler with a DynamoDB client, and what each side adds to it. */
const SOURCES: Readonly<Record<Entry, string>> = {
  base: `${BASE}
  export const handler = middy().handler(respond);
  export { client };`,
  floor: `${BASE}
  import { PutItemCommand } from '@aws-sdk/client-dynamodb';
  export const handler = middy().handler(async () => {
    for (const S of ['a', 'b']) await client.send(new PutItemCommand({ TableName: tableName, Item: { id: { S } } }));
    return respond();
  });`,
  // As a user writes them, with the store's own client: what `check:size` holds.
  guardedHandler: `
  import middy from '@middy/core';
  import { idempotency } from './src/index.ts';
  import { dynamoDBStore } from './src/stores/dynamodb.ts';
  const store = dynamoDBStore({ tableName: 'idempotency' });
  export const handler = middy().use(idempotency({ store, key: 'id' })).handler(async () => 1);`,
  guardedApi: `
  import middy from '@middy/core';
  import { httpIdempotency } from './src/http/index.ts';
  import { dynamoDBStore } from './src/stores/dynamodb.ts';
  const store = dynamoDBStore({ tableName: 'idempotency' });
  export const handler = middy().use(httpIdempotency({ store })).handler(async () => 1);`,
  guardedLite: `
  import middy from '@middy/core';
  import { idempotency } from './src/index.ts';
  import { dynamoDBStore } from './src/stores/dynamodb/lite.ts';
  const store = dynamoDBStore({ tableName: 'idempotency' });
  export const handler = middy().use(idempotency({ store, key: 'id' })).handler(async () => 1);`,
  middy: `
  import middy from '@middy/core';
  export const handler = middy().handler(async () => ({ statusCode: 201, body: '{"id":"ord_1"}' }));`,
  raw: `
  import middy from '@middy/core';
  import { rawRequests } from './bench/raw-requests.ts';
  const request = rawRequests(process.env.DYNAMODB_ENDPOINT);
  export const handler = middy().handler(async () => {
    for (const S of ['a', 'b']) await request('PutItem', JSON.stringify({ TableName: 'idempotency', Item: { id: { S } } }));
    return { statusCode: 201, body: '{"id":"ord_1"}' };
  });`,
  lite: LITE,
  ours: OURS,
  litePrimed: `${LITE}
  await store.prime();`,
  primed: `${OURS}
  await store.prime();`,
  peer: `${BASE}
  import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
  import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
  import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
  const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
  const config = new IdempotencyConfig({ eventKeyJmesPath: key, throwOnNoIdempotencyKey: true });
  export const handler = middy().use(makeHandlerIdempotent({ persistenceStore, config })).handler(respond);`,
};

/** What the recipe of docs/recipes/bundling.md says. */
const recipe = (name: string) => fileURLToPath(new URL(`../examples/bundling/${name}`, import.meta.url));
const PROVIDERS = ['ini', 'process', 'sso', 'web-identity'].map((name) => `@aws-sdk/credential-provider-${name}`);
const LEAN = {
  'node:http': recipe('node-http.cjs'),
  ...Object.fromEntries(PROVIDERS.map((name) => [name, recipe('lambda-credentials.cjs')])),
};

/** As bundles are made by default: minified ESM for Node 24. `isLean`: without what Lambda does not need. */
export async function bundle(entry: Entry, sdk: Sdk, { isLean = false } = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: SOURCES[entry], resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    logLevel: 'error',
    alias: isLean ? LEAN : {},
    external: sdk === 'external' ? ['@aws-sdk/*', '@smithy/*'] : [],
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild made nothing');
  const inputs = new Map<string, number>();
  for (const { inputs: files } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(files)) {
      const name = originOf(file);
      inputs.set(name, (inputs.get(name) ?? 0) + bytesInOutput);
    }
  }
  return { code: output.text, bytes: output.contents.length, gzipped: gzipSync(output.contents).length, inputs };
}

/** The package, or our own file. */
function originOf(file: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? [];
  return name ?? file;
}
