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

it('the store without the SDK imports no HTTP module: in an ES module that loads the WebSocket of the runtime', async () => {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  expect(imported.sort()).toEqual(['node:crypto', 'node:timers/promises', 'node:util', 'node:zlib']);
});
