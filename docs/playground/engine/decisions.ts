import { type Decision, type DecisionPolicy, decide } from '../../../src/core/claim/decide.ts';
import type { IdempotencyRecord, InProgressRecord } from '../../../src/core/record/record.ts';

/**
 * The table of decisions: what a claim meets, and what follows. The ids are anchors of `docs/explain/protocol.md`; the first
 * one stands for the put that met nothing.
 */
export const ROWS = [
  { id: 'absent', meets: 'no record', decision: 'claim it' },
  { id: 'own', meets: 'its own claim', decision: 'won' },
  { id: 'expired', meets: 'a record past its retention', decision: 'take over' },
  { id: 'reused', meets: 'another payload (fingerprint)', decision: 'KEY_REUSED' },
  { id: 'replay', meets: 'a COMPLETED record', decision: 'replay' },
  { id: 'released', meets: 'a RELEASED record', decision: 'take over' },
  { id: 'in-flight', meets: 'an IN_PROGRESS record, lease live', decision: 'IN_FLIGHT' },
  { id: 'lease-over', meets: 'an IN_PROGRESS record, lease ended', decision: 'take over, or OUTCOME_UNKNOWN' },
] as const;

export type RowId = (typeof ROWS)[number]['id'];

interface Taken {
  readonly row: RowId;
  /** What a claim has met, and what follows. */
  readonly sentence: string;
}

/** The row by which the core decides, from the core's own function. */
export function decisionOf(
  existing: IdempotencyRecord | undefined,
  claim: Pick<InProgressRecord, 'owner' | 'fingerprint' | 'leaseUntil'>,
  policy: DecisionPolicy,
  now: number,
): Taken {
  const decision = existing && decide(existing, claim, policy, now);
  const row = rowOf(decision);
  const { meets, decision: follows } = ROWS.find(({ id }) => id === row) ?? ROWS[0];
  const ended = decision?.kind === 'outcomeUnknown' ? 'OUTCOME_UNKNOWN' : 'take over';
  return { row, sentence: `${meets}. Decision: ${row === 'lease-over' ? ended : follows}.` };
}

function rowOf(decision: Decision | undefined): RowId {
  switch (decision?.kind) {
    case undefined:
      return 'absent';
    case 'won':
      return 'own';
    case 'keyReused':
      return 'reused';
    case 'replay':
      return 'replay';
    case 'inFlight':
      return 'in-flight';
    case 'outcomeUnknown':
      return 'lease-over';
    case 'takeover':
      return decision.reason === undefined ? 'own' : TAKEOVERS[decision.reason];
  }
}

const TAKEOVERS = { 'retention over': 'expired', released: 'released', 'lease over': 'lease-over' } as const;
