import { existsSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { Stryker } from '@stryker-mutator/core';
import { strykerOptions } from './options.ts';
import { type Score, scoreOf, table } from './score.ts';
import { FOLDERS, SUITE_VARIABLE } from './suites.ts';

/** `npm run test:mutation [-- core fingerprint http/response.ts]`: mutates folders, or files, one after the other. */
const MIN_SCORE = 95;

const asked = process.argv.slice(2);
const folderOf = (path: string) => path.split('/')[0] ?? '';
const unknown = asked.find((path) => !FOLDERS.includes(folderOf(path)) || !existsSync(`src/${path}`));
if (unknown !== undefined) throw new Error(`${unknown} is neither one of ${FOLDERS.join(', ')}, nor a file in them`);

// It takes all the time there is: let everything else on the machine go first.
setPriority(constants.priority.PRIORITY_LOW);
const scores: Score[] = [];
for (const path of asked.length === 0 ? FOLDERS : asked) {
  process.env[SUITE_VARIABLE] = folderOf(path);
  scores.push(scoreOf(path, await new Stryker(strykerOptions(path)).runMutationTest()));
}
console.log(table(scores));
if (scores.some(({ percent }) => percent < MIN_SCORE)) {
  console.error(`A score is below ${MIN_SCORE} %. The survivors are listed above, and in reports/mutation.`);
  process.exitCode = 1;
}
