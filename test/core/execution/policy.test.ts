import { runInNewContext } from 'node:vm';
import type { Settlement } from 'middy-idempotency';
import { describe, expect, it } from 'vitest';
import type { EventDetail } from '../../../src/core/events.ts';
import { settlementOf } from '../../../src/core/execution/execution.ts';
import type { Outcome } from '../../../src/core/record/outcome.ts';

const returned: Outcome = { kind: 'returned', value: 'done' };
const threw: Outcome = { kind: 'threw', error: new Error('no') };

type Policy = (outcome: Outcome, hasEffects: boolean) => unknown;

function asked(settle: Policy, outcome: Outcome, hasEffects = false) {
  const told: EventDetail[] = [];
  const tell = (detail: EventDetail) => void told.push(detail);
  const answer = settlementOf(settle as (outcome: Outcome) => Settlement, outcome, hasEffects, tell);
  return { answer, told };
}

describe('the settle policy', () => {
  it.each(['store', 'release', 'hold'] satisfies Settlement[])('is followed when it answers %s', (settlement) => {
    expect(asked(() => settlement, returned)).toEqual({ answer: settlement, told: [] });
    expect(asked(() => settlement, threw)).toEqual({ answer: settlement, told: [] });
  });

  it('is asked with the outcome', () => {
    expect(asked((outcome) => (outcome === threw ? 'hold' : 'release'), threw).answer).toBe('hold');
  });

  it('is asked with whether the execution has effects', () => {
    const policy: Policy = (_, hasEffects) => (hasEffects ? 'store' : 'release');
    expect(asked(policy, returned, true).answer).toBe('store');
    expect(asked(policy, returned, false).answer).toBe('release');
  });

  it.each([
    ['drop', "'drop'"],
    [undefined, 'undefined'],
    [true, 'true'],
    [null, 'null'],
    [{ store: true }, '{ store }'],
    [Promise.resolve('store'), 'a promise'],
    [runInNewContext("Promise.resolve('store')"), 'a promise'],
  ])('never releases when it answers %s, and the event says what it answered', (answer, shown) => {
    const error = new TypeError(`settle must answer 'store', 'release' or 'hold', not ${shown}`);
    const told = [{ type: 'settlePolicyFailed', error }];
    expect(asked(() => answer, returned)).toEqual({ answer: 'store', told });
    expect(asked(() => answer, threw)).toEqual({ answer: 'hold', told });
  });

  it.each([
    ['this realm', (): unknown => Promise.reject(new Error('late'))],
    ['another realm', runInNewContext("async () => { throw new Error('late'); }")],
  ])('leaves no rejection behind when it answers with a promise of %s', async (_, settle) => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      expect(asked(settle, returned).answer).toBe('store');
      await new Promise((resolve) => setImmediate(resolve));
      expect(rejections).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('never releases when it throws, and the event has what it threw', () => {
    const error = new Error('a bug in the policy');
    const settle = () => {
      throw error;
    };
    const told = [{ type: 'settlePolicyFailed', error }];
    expect(asked(settle, returned)).toEqual({ answer: 'store', told });
    expect(asked(settle, threw)).toEqual({ answer: 'hold', told });
    expect(asked(settle, threw).told[0]).toHaveProperty('error', error);
  });
});
