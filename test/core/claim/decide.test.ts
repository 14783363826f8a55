import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/core/claim/decide.ts';
import type { CompletedRecord, InProgressRecord, ReleasedRecord } from '../../../src/core/record/record.ts';

const NOW = 1_000_000;
const base = { id: 'op#1', attempt: 3, expiration: NOW / 1000 + 1 };
const claim: InProgressRecord = {
  ...base,
  status: 'IN_PROGRESS',
  owner: 'me',
  attempt: 1,
  leaseUntil: NOW + 1,
  fingerprint: 'a',
};
const running: InProgressRecord = { ...base, status: 'IN_PROGRESS', owner: 'other', leaseUntil: NOW + 100 };
const completed: CompletedRecord = {
  ...base,
  status: 'COMPLETED',
  owner: 'other',
  outcome: { type: 'RETURNED', json: '1' },
};
const released: ReleasedRecord = { ...base, status: 'RELEASED', owner: 'other' };
const policy = { clockSkewMillis: 50, onExpiredLease: 'run' } as const;

describe('decide', () => {
  it('has won when the record in the way is its own claim', () => {
    const mine = { ...claim, attempt: 2 };
    expect(decide(mine, claim, policy, NOW)).toEqual({ kind: 'won', record: mine });
  });

  it('has won when its own claim is in the way, even past its lease and retention', () => {
    expect(decide(claim, claim, policy, NOW * 10)).toMatchObject({ kind: 'won' });
  });

  it('replays its own outcome: it has won only while its record is in progress', () => {
    const { outcome } = completed;
    expect(decide({ ...completed, owner: claim.owner }, claim, policy, NOW)).toEqual({ kind: 'replay', outcome });
  });

  it.each([
    ['completed', completed, { owner: 'other', status: 'COMPLETED' }],
    ['released', released, { owner: 'other', status: 'RELEASED' }],
    ['in progress', running, { owner: 'other', status: 'IN_PROGRESS', leaseUntil: NOW + 100 }],
    ['of another fingerprint', { ...completed, fingerprint: 'b' }, { owner: 'other', status: 'COMPLETED' }],
  ] as const)('takes over a record past its retention that is %s', (_, existing, expected) => {
    const decision = decide(existing, claim, policy, base.expiration * 1000);
    expect(decision).toEqual({ kind: 'takeover', reason: 'retention over', attempt: 4, expected });
  });

  it('does not take a record over a millisecond before its retention is over', () => {
    expect(decide(completed, claim, policy, base.expiration * 1000 - 1)).toMatchObject({ kind: 'replay' });
  });

  it.each([
    ['running', running],
    ['completed', completed],
    ['released', released],
  ] as const)('refuses the key for another fingerprint while the first is %s', (_, existing) => {
    expect(decide({ ...existing, fingerprint: 'b' }, claim, policy, NOW)).toEqual({ kind: 'keyReused' });
  });

  it('compares no fingerprint where one side has none', () => {
    const { fingerprint: _, ...without } = claim;
    expect(decide(completed, claim, policy, NOW)).toMatchObject({ kind: 'replay' });
    expect(decide({ ...completed, fingerprint: 'b' }, without, policy, NOW)).toMatchObject({ kind: 'replay' });
  });

  it('replays a completed record', () => {
    expect(decide({ ...completed, fingerprint: 'a' }, claim, policy, NOW)).toEqual({
      kind: 'replay',
      outcome: completed.outcome,
    });
  });

  it('takes over a released record', () => {
    expect(decide(released, claim, policy, NOW)).toMatchObject({ kind: 'takeover', reason: 'released', attempt: 4 });
  });

  it('is in flight until the lease and the tolerance are over', () => {
    expect(decide(running, claim, policy, NOW)).toEqual({ kind: 'inFlight', retryAfterMillis: 150 });
    expect(decide(running, claim, policy, NOW + 149)).toEqual({ kind: 'inFlight', retryAfterMillis: 1 });
  });

  it.each([
    ['a second', 'has just begun', 0, 1000],
    ['a second', 'claimed for longer', -5000, 1000],
    ['a second', 'is that old', 1000, 1000],
    ['its age', 'is older', 20_000, 20_000],
    ['the rest of its lease', 'is older than that', 600_000, 300_050],
  ])('retries after %s where the other execution %s', (_, _why, ageMillis, retryAfterMillis) => {
    const lasting = { ...running, leaseUntil: NOW + 300_000, expiration: NOW };
    const late = { ...claim, leaseUntil: lasting.leaseUntil + ageMillis };
    expect(decide(lasting, late, policy, NOW)).toEqual({ kind: 'inFlight', retryAfterMillis });
  });

  it('takes over when both are over, expecting the lease that it has seen', () => {
    expect(decide(running, claim, policy, NOW + 150)).toEqual({
      kind: 'takeover',
      reason: 'lease over',
      attempt: 4,
      expected: { owner: 'other', status: 'IN_PROGRESS', leaseUntil: NOW + 100 },
    });
  });

  it('keeps what earlier attempts have done, until the retention is over', () => {
    const checkpoints = { reserve: '{"result":1}' };
    const over = NOW + 150;
    expect(decide({ ...running, checkpoints }, claim, policy, over)).toMatchObject({ kind: 'takeover', checkpoints });
    expect(decide({ ...released, checkpoints }, claim, policy, NOW)).toMatchObject({ kind: 'takeover', checkpoints });
    for (const existing of [running, released]) {
      const decision = decide({ ...existing, checkpoints }, claim, policy, base.expiration * 1000);
      expect(decision).toMatchObject({ kind: 'takeover', checkpoints: undefined });
    }
  });

  it("leaves the outcome unknown then, with onExpiredLease 'throw'", () => {
    const atMostOnce = { ...policy, onExpiredLease: 'throw' } as const;
    expect(decide(running, claim, atMostOnce, NOW + 149)).toMatchObject({ kind: 'inFlight' });
    expect(decide(running, claim, atMostOnce, NOW + 150)).toEqual({ kind: 'outcomeUnknown' });
    expect(decide(running, claim, atMostOnce, NOW * 100)).toEqual({ kind: 'outcomeUnknown' });
    expect(decide(completed, claim, atMostOnce, NOW * 100)).toMatchObject({ kind: 'takeover' });
  });
});
