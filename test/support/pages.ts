import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the site has installed, generated and built. */
const exclude = ['docs/node_modules/**', 'docs/generated/**', 'docs/dist/**'];

/** README and the pages of `docs/`, by their paths. */
export const PAGES: readonly string[] = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT, exclude }).sort()];

export const page = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');

/** The part of a page under a heading, up to the next one of the same level. */
export const sectionOf = (path: string, title: string) =>
  page(path).split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

export const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '');
