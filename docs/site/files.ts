import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const DOCS = fileURLToPath(new URL('..', import.meta.url));

/** Where the reference is generated, from `docs/`. Git does not have it. */
export const GENERATED = 'generated';

/** The Markdown files of the site, from `docs/`. */
export function pageFiles(): readonly string[] {
  const exclude = ['node_modules/**', 'dist/**', 'site/**', 'test/**', 'playground/**', `${GENERATED}/README.md`];
  return [...globSync('**/*.md', { cwd: DOCS, exclude })].sort();
}

/** The path of a page in the site: `recipes/http.md` is `recipes/http`, and a README is its folder. */
export function idOf(file: string): string {
  if (file === 'README.md') return 'index';
  if (file.startsWith(`${GENERATED}/`)) return `reference/api/${entryOf(file).replace(/^$/, 'main')}`;
  return file.replace(/(\/README)?\.md$/, '').toLowerCase();
}

/** Behind `middy-idempotency/`, of a generated page: nothing, `http`, `dynamodb/lite`. */
export function entryOf(file: string): string {
  return file
    .slice(GENERATED.length + 1)
    .replace(/^stores\//, '')
    .replace(/(^index)?\.md$/, '');
}
