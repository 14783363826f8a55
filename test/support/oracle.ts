import type { History, Violation } from './history.ts';
import { answersAreTheSame } from './oracle/answers.ts';
import { collect } from './oracle/facts.ts';
import { finishedEffectsStay } from './oracle/finished.ts';
import { oneOwner } from './oracle/one-owner.ts';
import { everybodyGetsOn } from './oracle/progress.ts';
import { writesAreFenced } from './oracle/writes.ts';

/**
 * Which promises (I1 to I12, `at most once`, and `progress`) do not hold in this history. It knows the promises and the
 * history, and nothing of the code under test.
 *
 * | file | promises |
 * |---|---|
 * | `one-owner` | I1, `at most once`, and that a fencing number never comes twice |
 * | `writes` | I2, I3, I5, I11 as far as the table shows them (needs `storeSeen`) |
 * | `finished` | I4, I7 |
 * | `answers` | I8, I11, I12, and that no payload gets the outcome of another one |
 * | `progress` | every caller is answered in time, no key stays stuck |
 *
 * Where clocks do not agree (`clocksAgree: false`), leases and retentions mean nothing across hosts: what is left is
 * I2, I3, I5, I8, I12, that nobody starts after a lease of his own, and progress.
 */
export function judge(history: History): Violation[] {
  const violations: Violation[] = [];
  const facts = collect(history, violations);
  oneOwner(facts);
  if (facts.terms.storeSeen) writesAreFenced(facts);
  finishedEffectsStay(facts);
  answersAreTheSame(facts);
  everybodyGetsOn(facts);
  return violations;
}
