import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withIncludedFiles } from './included-files.ts';

/** Writes the files that pages show (`<!-- file: examples/start/payments.ts -->`) into the code blocks behind their names. */
const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');

const exclude = ['docs/node_modules/**', 'docs/dist/**', 'docs/generated/**'];
for (const page of ['README.md', ...globSync('docs/**/*.md', { cwd: root, exclude })]) {
  const before = read(page);
  const after = withIncludedFiles(before, read);
  if (after === before) continue;
  writeFileSync(`${root}${page}`, after);
  console.log(`${page} is brought up to date`);
}
