import type { RecordStore } from 'middy-idempotency';
import { type ConformanceOptions, storeConformance } from 'middy-idempotency/testing';
import { describe, it } from 'vitest';

/** What every store must do. Called by each store's own test, with the real backend. */
export function describeStore<TItem = never>(
  name: string,
  makeStore: () => RecordStore<TItem>,
  options: ConformanceOptions<TItem> = {},
): void {
  describe(`the store contract: ${name}`, () => {
    for (const { name: rule, run } of storeConformance(makeStore, options)) it(rule, run);
  });
}
