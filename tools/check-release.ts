import { readFileSync } from 'node:fs';
import { reportProblems } from './checked-files.ts';
import { releaseProblems } from './release.ts';

/** Fails when the tag in its argument cannot be released: the release workflow runs it first. */
const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const [tag = ''] = process.argv.slice(2);

reportProblems(
  `release of '${tag}'`,
  releaseProblems({ tag, manifest: JSON.parse(read('package.json')), changelog: read('CHANGELOG.md') }),
);
