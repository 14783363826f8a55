import { DEFAULT_CLOCK_SKEW_MILLIS } from '../core/options.ts';
import { jsonFormat } from '../core/record/outcome.ts';
import type { IdempotencyRecord } from '../core/record/record.ts';
import { asRecord } from './item.ts';
import { legacyIdentity } from './legacy-id.ts';
import { type PowertoolsRecordsOptions, resolvePowertools } from './options.ts';
import { legacyTable } from './table.ts';

interface LegacyRecord {
  /** The id of Powertools' item. */
  readonly id: string;
  /** The item, as a record under that id; `undefined` where there is none. */
  readonly record: IdempotencyRecord | undefined;
}

/**
 * What Powertools has for an event, for `npx middy-idempotency migrate check`.
 *
 * @returns `undefined` where Powertools runs the event without a record
 * @throws TypeError that names the wrong option
 * @throws IdempotencyError as a guard with these options does
 */
export async function legacyRecordOf(
  options: PowertoolsRecordsOptions,
  event: unknown,
): Promise<LegacyRecord | undefined> {
  const powertools = resolvePowertools(options);
  const legacy = legacyIdentity(powertools, [event]);
  if (!legacy) return undefined;
  const { id } = legacy;
  const item = await legacyTable(powertools).get(id);
  const reading = { recordId: id, fingerprint: undefined, legacy: { id, validation: undefined }, format: jsonFormat };
  const clocks = { clockSkewMillis: DEFAULT_CLOCK_SKEW_MILLIS };
  return { id, record: item && asRecord(item, { ...reading, ...clocks, names: powertools.names }) };
}
