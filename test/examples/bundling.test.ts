import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import webpack from 'webpack';
import { localEnvironment } from '../../tools/clients.ts';
import { listenHere } from '../../tools/loopback.ts';
import { startLambdaProcess } from '../support/lambda-process.ts';
import { page, ROOT } from '../support/pages.ts';
import { useTable } from '../support/table.ts';

const RECIPES = join(ROOT, 'examples/bundling');
const PAGE = 'docs/recipes/bundling.md';

const { tableName } = useTable();
/** A user's project: the recipes, and what npm has installed there. */
let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'bundling-'));
  cpSync(RECIPES, project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'package-lock.json'), '{}');
  const modules = join(project, 'node_modules');
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  // The package as it is now, and not `dist`, which another test may be writing.
  const ours = join(modules, 'middy-idempotency');
  mkdirSync(ours);
  cpSync(join(ROOT, 'package.json'), join(ours, 'package.json'));
  await run(bin('tsc'), ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(ours, 'dist')]);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const run = (command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(command, [...args], { cwd: project, env: { ...process.env, ...environment } });
const bin = (name: string) => join(project, 'node_modules/.bin', name);

/** Each answers where its bundles are. */
const BUNDLERS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  async esbuild() {
    await run(process.execPath, ['esbuild.js']);
    return ['cjs', 'mjs'].map((extension) => alone(`dist/handler.${extension}`));
  },
  async 'esbuild, without what Lambda does not need'() {
    await run(process.execPath, ['esbuild-lean.js']);
    return ['dist-lean'];
  },
  async SAM() {
    const functions = buildProperties().map((properties, index) => ({ properties, folder: `.aws-sam/${index}` }));
    for (const { properties, folder } of functions) await run(bin('esbuild'), samArguments(properties, folder));
    expect(functions.flatMap(({ folder }) => readdirSync(join(project, folder)))).toEqual([
      'handler.js',
      'handler.mjs',
    ]);
    return functions.map(({ folder }) => folder);
  },
  async CDK() {
    await run(process.execPath, ['cdk.js'], { CDK_OUTDIR: 'cdk.out' });
    const assets = readdirSync(join(project, 'cdk.out')).filter((name) => name.startsWith('asset.'));
    const bundles = assets.filter((name) => readdirSync(join(project, 'cdk.out', name))[0]?.startsWith('index.'));
    expect(bundles).toHaveLength(2);
    return bundles.map((name) => `cdk.out/${name}`);
  },
  async webpack() {
    const { default: config } = await import(join(project, 'webpack.config.js'));
    const output = { ...config.output, path: join(project, 'dist-webpack') };
    const stats = await new Promise<webpack.Stats | null | undefined>((resolve, reject) =>
      webpack({ ...config, output, context: project }, (error, stats) => (error ? reject(error) : resolve(stats))),
    );
    expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({ errors: [], warnings: [] });
    return ['dist-webpack'];
  },
  async rollup() {
    await run(bin('rollup'), ['-c', '--silent', '--file', 'dist-rollup/handler.cjs']);
    return ['dist-rollup'];
  },
};

describe.each(Object.entries(BUNDLERS))('the recipe for %s', (_, bundle) => {
  it('makes bundles, with the SDK in them, that answer and replay with nothing else installed', async () => {
    for (const folder of await bundle()) {
      // Away from the project: no `node_modules` is above it.
      const task = mkdtempSync(join(tmpdir(), 'task-'));
      cpSync(join(project, folder), task, { recursive: true });
      try {
        await expectAnswers(task);
      } finally {
        rmSync(task, { recursive: true, force: true });
      }
    }
    // webpack and its minifier take long where others work, too.
  }, 120_000);
});

describe('a bundle without the credential providers that Lambda does not need', () => {
  const script = `
    import { handler } from './dist-lean/handler.mjs';
    await handler({ orderId: 'lean' }, {}).then(console.log, (error) => console.log(error.code, error.advice));
    process.exit();`;
  const answerWith = async (environment: NodeJS.ProcessEnv) => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
      ...localEnvironment({ AWS_ENDPOINT_URL_DYNAMODB: inject('dynamoDBEndpoint') }),
      ...{ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' },
      ...{ AWS_LAMBDA_FUNCTION_NAME: 'orders', IDEMPOTENCY_TABLE_NAME: tableName },
      ...environment,
    });
    return stdout;
  };

  beforeAll(() => run(process.execPath, ['esbuild-lean.js']));

  it('says what is missing where one of them is needed', async () => {
    expect(await answerWith({})).toMatch(
      /STORE_UNAVAILABLE.*this bundle leaves profiles \(credential-provider-ini\) out: see its alias/,
    );
  });

  it("has the container's endpoint", async () => {
    const credentials = {
      AccessKeyId: 'local',
      SecretAccessKey: 'local',
      Token: 'token',
      Expiration: '2999-01-01T00:00:00Z',
    };
    const server = createServer((_, response) => response.end(JSON.stringify(credentials)));
    const AWS_CONTAINER_CREDENTIALS_FULL_URI = await listenHere(server);
    expect(await answerWith({ AWS_CONTAINER_CREDENTIALS_FULL_URI })).toContain("orderId: 'lean'");
    server.close();
  });
});

it('the page shows the recipes as they were run', () => {
  const files = readdirSync(RECIPES).map((name) => readFileSync(join(RECIPES, name), 'utf8'));
  const blocks = Array.from(page(PAGE).matchAll(/```(?:js|yaml)\n([\s\S]*?)```/g), ([, code = '']) => code);
  expect(blocks).toHaveLength(9);
  const unindented = (text: string) => text.replaceAll(/^ +/gm, '');
  for (const block of blocks) {
    expect(
      files.some((file) => unindented(file).includes(unindented(block))),
      block,
    ).toBe(true);
  }
});

async function expectAnswers(task: string): Promise<void> {
  const files = readdirSync(task);
  const module = files.some((name) => name.startsWith('index.')) ? 'index' : 'handler';
  const fn = await startLambdaProcess({
    folder: task,
    handler: `${module}.handler`,
    functionName: 'orders',
    timeoutMillis: 10_000,
    environment: {
      ...localEnvironment({ AWS_ENDPOINT_URL_DYNAMODB: inject('dynamoDBEndpoint') }),
      IDEMPOTENCY_TABLE_NAME: tableName,
    },
  });
  try {
    const event = { orderId: task };
    const first = await fn.invoke(event);
    expect(first).toEqual({ orderId: task, charge: expect.any(String) });
    expect(await fn.invoke(event)).toEqual(first);
    expect(fn.lines).toEqual([]);
  } finally {
    await fn.stop();
  }
}

/** A bundle in a folder of its own. */
function alone(file: string): string {
  const folder = `alone-${file.replaceAll('/', '-')}`;
  cpSync(join(project, file), join(project, folder, file.slice(file.lastIndexOf('/') + 1)));
  return folder;
}

type BuildProperties = Readonly<Record<string, string | readonly string[]>>;

function buildProperties(): BuildProperties[] {
  const template = readFileSync(join(RECIPES, 'template.yaml'), 'utf8');
  const value = (text: string) => (text.startsWith('[') ? JSON.parse(text) : text);
  return template
    .split('BuildProperties:\n')
    .slice(1)
    .map((block) =>
      Object.fromEntries(
        Array.from(block.matchAll(/^ {8}(\w+): (.*)$/gm), ([, name, text = '']) => [name, value(text)]),
      ),
    );
}

/** What `sam build` gives to esbuild: aws-lambda-builders, `nodejs_npm_esbuild/esbuild.py`. */
function samArguments({ EntryPoints = [], ...properties }: BuildProperties, folder: string): string[] {
  const kebab = (name: string) => name.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase();
  const given = Object.entries(properties).flatMap(([name, value]) =>
    typeof value === 'string' ? [`--${kebab(name)}=${value}`] : value.map((item) => `--${kebab(name)}:${item}`),
  );
  const byDefault = { Target: '--target=es2020', Format: '--format=cjs', Minify: '--minify' };
  const defaults = Object.entries(byDefault).flatMap(([name, argument]) => (name in properties ? [] : [argument]));
  return [...EntryPoints, ...given, '--bundle', '--platform=node', `--outdir=${folder}`, ...defaults];
}
