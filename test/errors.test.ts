import { IdempotencyError, type IdempotencyErrorCode } from 'middy-idempotency';
import { describe, expect, it } from 'vitest';
import { page } from './support/pages.ts';

/** Typed as a record, so that a new code does not compile until it is named here. */
const NAMES: Record<IdempotencyErrorCode, string> = {
  KEY_MISSING: 'IdempotencyKeyMissingError',
  SCOPE_MISSING: 'IdempotencyScopeMissingError',
  KEY_INVALID: 'IdempotencyKeyInvalidError',
  KEY_REUSED: 'IdempotencyKeyReusedError',
  IN_FLIGHT: 'IdempotencyInFlightError',
  OUTCOME_UNKNOWN: 'IdempotencyOutcomeUnknownError',
  LEASE_LOST: 'IdempotencyLeaseLostError',
  RESPONSE_NOT_REPLAYABLE: 'IdempotencyResponseNotReplayableError',
  RECORD_INVALID: 'IdempotencyRecordInvalidError',
  STORE_UNAVAILABLE: 'IdempotencyStoreUnavailableError',
};

describe.each(Object.entries(NAMES))('an error %s', (code, name) => {
  const error = new IdempotencyError(code as IdempotencyErrorCode, 'what to do');

  it('has a name of its own, by which Step Functions tells it from the others', () => {
    expect(error.name).toBe(name);
    expect(String(error)).toBe(`${name}: what to do`);
  });

  it('is an IdempotencyError', () => expect(error).toBeInstanceOf(IdempotencyError));

  it('has its name in the reference', () => expect(page('docs/reference/errors.md')).toContain(`\`${name}\``));
});

describe('the state machine of the recipe', () => {
  const [, asl = ''] = /```json\n([\s\S]*?)```/.exec(page('docs/recipes/step-functions.md')) ?? [];
  const { Charge } = JSON.parse(asl).States;
  const named: readonly string[] = [...Charge.Retry, ...Charge.Catch].flatMap(({ ErrorEquals }) => ErrorEquals);

  it('decides on every error of this package, and on each once', () => {
    const ours = named.filter((name) => name.startsWith('Idempotency'));
    expect(ours.toSorted()).toEqual(Object.values(NAMES).toSorted());
  });

  it('goes on at a state that is there', () => {
    const { States } = JSON.parse(asl);
    for (const { Next } of Charge.Catch) expect(States).toHaveProperty(Next);
  });
});
