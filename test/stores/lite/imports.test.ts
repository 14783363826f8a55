import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const entry = fileURLToPath(new URL('../../../src/stores/dynamodb/lite.ts', import.meta.url));
const IMPORT = /^(?:import|export)\s(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm;

/** Everything that a file imports, the types included, and what those files import. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    const isOwn = specifier.startsWith('.');
    const found = isOwn ? fileURLToPath(new URL(specifier, `file://${file}`)) : specifier;
    if (seen.has(found)) continue;
    seen.add(found);
    if (isOwn) importsOf(found, seen);
  }
  return seen;
}

it('the store without the SDK compiles without the SDK, too: no type of it is imported', () => {
  const imports = [...importsOf(entry)];
  expect(imports.length).toBeGreaterThan(15);
  expect(imports.filter((specifier) => specifier.includes('@aws-sdk'))).toEqual([]);
});

it('a guarded function, and its store without the SDK, import no module of Node.js at start: an ES module of a builtin costs milliseconds', async () => {
  const { metafile } = await build({
    stdin: {
      contents:
        "export * from './src/index.ts'; export * from './src/http/index.ts'; export * from './src/stores/dynamodb/lite.ts';",
      resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
    },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['@middy/core'],
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(imported).toEqual([]);
});
