import type { RecordStore } from '../core/record/store.ts';
import { OUTCOME_CHECKS } from './conformance/outcomes.ts';
import { RACE_CHECKS } from './conformance/races.ts';
import type { Check, ConformanceOptions } from './conformance/records.ts';
import { TRANSACTION_CHECKS } from './conformance/transactions.ts';
import { WRITE_CHECKS } from './conformance/writes.ts';

export type { ConformanceOptions, TransactionProbe } from './conformance/records.ts';

/** One rule of the contract, as a test. */
export interface StoreCheck {
  /** What the store must do: the name of the test. */
  readonly name: string;
  /** @throws AssertionError of `node:assert` when the store does not do it */
  run(): Promise<void>;
}

/**
 * What every store must do, as named checks for any test runner. They use record ids of their own: they can run in any order,
 * and on a table that is in use.
 *
 * @param makeStore Called once, at the first check. Use the real database: a mock cannot show that a write is atomic
 */
export function* storeConformance<TItem = never>(
  makeStore: () => RecordStore<TItem> | Promise<RecordStore<TItem>>,
  options: ConformanceOptions<TItem> = {},
): Generator<StoreCheck> {
  let made: Promise<RecordStore<never>> | undefined;
  const store = () => (made ??= Promise.resolve(makeStore() as RecordStore<never>));
  const { transactions } = options;
  const all: Readonly<Record<string, Check>> = {
    ...WRITE_CHECKS,
    ...OUTCOME_CHECKS,
    ...RACE_CHECKS,
    ...(transactions !== undefined && TRANSACTION_CHECKS),
  };
  for (const [name, check] of Object.entries(all)) {
    yield { name, run: async () => check(await store(), options as ConformanceOptions<never>) };
  }
}
