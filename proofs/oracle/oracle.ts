import type { History, Violation } from '../lib/history.ts';
import { answersAreTheSame } from './answers.ts';
import { collect } from './facts.ts';
import { finishedEffectsStay } from './finished.ts';
import { finishedStaysFinished } from './finishing.ts';
import { oneOwner } from './one-owner.ts';
import { everybodyGetsOn } from './progress.ts';
import { stepsRunOnce } from './steps.ts';
import { transactionsLookFirst } from './transactions.ts';
import { waitersAreServed } from './waiting.ts';
import { writesAreFenced } from './writes.ts';

/**
 * Which promises (I1 to I12, and those that have names) do not hold in this history. It knows the promises and the
 * history, and nothing of the code under test.
 *
 * | file | promises |
 * |---|---|
 * | `one-owner` | I1, `at most once`, and that a fencing number never comes twice |
 * | `writes` | I2, I3, I5, I11 as far as the table shows them (needs `storeSeen`) |
 * | `finished` | I4, I7 |
 * | `answers` | I8, I11, I12, and that no payload gets the outcome of another one |
 * | `steps` | `step`: what was kept is not run again, nothing is forgotten, nothing begins without a lease |
 * | `finishing` | `finished` (after `complete`), `transaction` (all or nothing, once) |
 * | `transactions` | `idempotentTransaction`: no failure of a plan hides an outcome, the store is given up in time |
 * | `waiting` | `waiting` (no longer than allowed, and not for nothing), `signal` |
 * | `progress` | every caller is answered in time, no key stays stuck |
 *
 * Where clocks do not agree (`clocksAgree: false`), leases and retentions mean nothing across hosts: what is left is
 * I2, I3, I5, I8, I12, that nobody starts after a lease of his own, that what was kept of a step stays, that transactions are
 * whole, and progress.
 */
export function judge(history: History): Violation[] {
  const violations: Violation[] = [];
  const facts = collect(history, violations);
  oneOwner(facts);
  if (facts.terms.storeSeen) writesAreFenced(facts);
  finishedEffectsStay(facts);
  answersAreTheSame(facts);
  stepsRunOnce(facts);
  finishedStaysFinished(facts);
  if (facts.terms.storeSeen) transactionsLookFirst(facts);
  waitersAreServed(facts);
  everybodyGetsOn(facts);
  return violations;
}
