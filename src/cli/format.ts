import type { OutcomeDescription, RecordDescription, RecordState } from '../operator/index.ts';

const MEANING: Record<RecordState, string> = {
  running: 'an execution holds the lease',
  outcomeUnknown: 'outcome unknown: the lease has ended, and nothing was settled',
  completed: 'retries get the outcome',
  released: 'the next request executes',
  expired: 'expired: it counts as absent',
};

export function recordText(record: RecordDescription): string {
  const { lease, expiration, outcome, checkpoints } = record;
  return lines({
    record: record.id,
    status: `${record.status} (${MEANING[record.state]})`,
    operation: record.operation,
    attempt: String(record.attempt),
    owner: record.owner,
    lease: lease && `${lease.over ? 'ended' : 'live until'} ${lease.until}`,
    expiration: `${expiration.at}${expiration.past ? ' (past)' : ''}`,
    fingerprint: record.fingerprint,
    outcome: outcome && outcomeText(outcome),
    value: outcome && 'value' in outcome ? JSON.stringify(outcome.value) : undefined,
    checkpoints: checkpoints?.join(', '),
  });
}

function outcomeText(outcome: OutcomeDescription): string {
  if (outcome.kind === 'notReplayable') return `not replayable: ${outcome.reason}`;
  const { kind, bytes, statusCode } = outcome;
  const status = statusCode === undefined ? '' : `, statusCode ${statusCode}`;
  if (kind === 'returned') return bytes === 0 ? 'returned undefined' : `returned ${bytes} bytes${status}`;
  const code = outcome.code === undefined ? '' : `, code ${outcome.code}`;
  return `threw ${outcome.name ?? 'a value'}${code}${status}`;
}

/** One line for each field that is there. */
export function lines(fields: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(fields)
    .filter((field): field is [string, string] => field[1] !== undefined)
    .map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`)
    .join('');
}

/** Control characters and formats (bidi overrides), line separators, and what has no shape (zero-width characters). */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * A table's data must not steer the terminal, nor look like other data. Each such character becomes an escape sequence of
 * JSON, so that JSON stays the same value.
 */
export function printable(value: string): string {
  return value.replace(UNSEEN, (unseen) =>
    unseen
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
