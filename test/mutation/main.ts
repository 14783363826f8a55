import { constants, setPriority } from 'node:os';
import { Stryker } from '@stryker-mutator/core';
import { strykerOptions } from './options.ts';
import { type Score, scoreOf, table } from './score.ts';
import { FOLDERS, SUITE_VARIABLE } from './suites.ts';

/** `npm run test:mutation [-- core fingerprint http]`: mutates the folders one after the other. */
const MIN_SCORE = 95;

const asked = process.argv.slice(2);
const unknown = asked.find((folder) => !FOLDERS.includes(folder));
if (unknown !== undefined) throw new Error(`${unknown} is none of ${FOLDERS.join(', ')}`);

// It takes all the time there is: let everything else on the machine go first.
setPriority(constants.priority.PRIORITY_LOW);
const scores: Score[] = [];
for (const folder of asked.length === 0 ? FOLDERS : asked) {
  process.env[SUITE_VARIABLE] = folder;
  scores.push(scoreOf(folder, await new Stryker(strykerOptions(folder)).runMutationTest()));
}
console.log(table(scores));
if (scores.some(({ percent }) => percent < MIN_SCORE)) {
  console.error(`A score is below ${MIN_SCORE} %. The survivors are listed above, and in reports/mutation.`);
  process.exitCode = 1;
}
