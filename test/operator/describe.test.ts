import type { CompletedRecord, InProgressRecord, StoredOutcome } from 'middy-idempotency';
import { describeRecord } from 'middy-idempotency/operator';
import { describe, expect, it } from 'vitest';

const LEASE_END = Date.UTC(2026, 0, 1, 12, 0, 0, 250);
const EXPIRATION = Date.UTC(2026, 0, 2) / 1000;
const base = { id: 'team#pay#x', owner: 'o', attempt: 2, expiration: EXPIRATION };
const running: InProgressRecord = { ...base, status: 'IN_PROGRESS', leaseUntil: LEASE_END };
const completed = (outcome: StoredOutcome): CompletedRecord => ({ ...base, status: 'COMPLETED', outcome });
const json = (value: unknown) => JSON.stringify(value);

describe('a description', () => {
  it('has the operation, and times as ISO 8601', () => {
    expect(describeRecord(running, LEASE_END)).toEqual({
      id: 'team#pay#x',
      operation: 'team#pay',
      status: 'IN_PROGRESS',
      state: 'running',
      attempt: 2,
      owner: 'o',
      lease: { until: '2026-01-01T12:00:00.250Z', over: false },
      expiration: { at: '2026-01-02T00:00:00.000Z', past: false },
    });
  });

  it('takes a lease for live as long as another host may', () => {
    expect(describeRecord(running, LEASE_END + 999)).toMatchObject({ state: 'running', lease: { over: false } });
    expect(describeRecord(running, LEASE_END + 1000)).toMatchObject({ state: 'outcomeUnknown', lease: { over: true } });
    const patient = describeRecord(running, LEASE_END + 1000, { clockSkewMillis: 1001 });
    expect(patient.state).toBe('running');
  });

  it('says that a record past its retention counts as absent, but for an unsettled one', () => {
    const later = EXPIRATION * 1000;
    const released = { ...base, status: 'RELEASED' } as const;
    expect(describeRecord(released, later - 1)).toMatchObject({ state: 'released', expiration: { past: false } });
    expect(describeRecord(released, later)).toMatchObject({ state: 'expired', expiration: { past: true } });
    expect(describeRecord(running, later)).toMatchObject({ state: 'outcomeUnknown', expiration: { past: true } });
  });

  it('names the steps that are done, without their results', () => {
    const stepped = { ...running, checkpoints: { reserve: '{"result":"secret"}' } };
    expect(describeRecord(stepped, 0).checkpoints).toEqual(['reserve']);
    expect(JSON.stringify(describeRecord(stepped, 0, { withOutcome: true }))).not.toContain('secret');
  });

  it('survives numbers that are no times', () => {
    const odd = describeRecord({ ...running, leaseUntil: 1e300, expiration: 1e300 }, 0);
    expect(odd.lease?.until).toBe('1e+300 ms after 1970');
  });
});

describe('an outcome', () => {
  const described = (outcome: StoredOutcome, withOutcome = false) =>
    describeRecord(completed(outcome), 0, { withOutcome }).outcome;
  const response = { statusCode: 201, body: 'secret' };
  const error = { error: { name: 'Declined', message: 'secret', code: 'E1', statusCode: 402 } };

  it('is told in brief, and without what may be confidential', () => {
    const text = json(response);
    expect(described({ type: 'RETURNED', json: text })).toEqual({ kind: 'returned', bytes: 34, statusCode: 201 });
    expect(described({ type: 'RETURNED' })).toEqual({ kind: 'returned', bytes: 0 });
    expect(described({ type: 'THREW', json: json(error) })).toEqual({
      kind: 'threw',
      bytes: Buffer.byteLength(json(error)),
      name: 'Declined',
      code: 'E1',
      statusCode: 402,
    });
    expect(described({ type: 'THREW', json: '{"value":"secret"}' })).toEqual({ kind: 'threw', bytes: 18 });
  });

  it('is told in full where that was asked for', () => {
    expect(described({ type: 'RETURNED', json: json(response) }, true)).toMatchObject({ value: response });
    expect(described({ type: 'THREW', json: json(error) }, true)).toMatchObject({ value: error });
    expect(described({ type: 'RETURNED' }, true)).not.toHaveProperty('value');
  });

  it('that cannot be replayed says why', () => {
    const notReplayable = described({ type: 'NOT_REPLAYABLE', reason: 'it is a stream' });
    expect(notReplayable).toEqual({ kind: 'notReplayable', reason: expect.stringContaining('it is a stream') });
    expect(described({ type: 'RETURNED', json: '{' })).toMatchObject({ kind: 'notReplayable' });
  });
});
