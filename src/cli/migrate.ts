import type { IdempotencyRecord } from '../index.ts';
import { describeRecord } from '../operator/index.ts';
import type { PowertoolsRecordsOptions } from '../powertools/index.ts';
import type { Given } from './arguments.ts';
import { explained } from './explain.ts';
import { EXIT, Failure, parseJson, usageFailure } from './failure.ts';
import { lines, recordText } from './format.ts';
import type { Report } from './report.ts';
import { withClient, withStore } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Both ids and both records of an event: ours, and that of Powertools. */
export async function migrateCheck(file: string, given: Given, terminal: Terminal): Promise<Report> {
  const options = powertoolsOptions(given);
  const { event, explanation } = await explained(file, given, terminal);
  const own = await withStore(given, (store) => store.read(explanation.id));
  const { legacyRecordOf } = await import('../powertools/check.ts');
  const legacy = await withClient(given, (client) => legacyRecordOf({ ...options, client }, event));
  if (legacy === undefined) {
    throw new Failure(EXIT.refused, 'NO_LEGACY_KEY', 'eventKeyJmesPath selects nothing: Powertools has no record.', {
      advice:
        'Is the expression for an event that another middleware has changed? Here it reads the event as it comes.',
      details: { id: explanation.id },
    });
  }
  const describe = (record: IdempotencyRecord | undefined) => record && describeRecord(record, terminal.now());
  const both = [describe(own), describe(legacy.record)] as const;
  const [record, powertools] = both;
  const texts = [explanation.id, legacy.id].map((id, index) => {
    const described = both[index];
    return described ? recordText(described) : lines({ record: id, status: 'there is none' });
  });
  return {
    json: { id: explanation.id, powertoolsId: legacy.id, record: record ?? null, powertools: powertools ?? null },
    text: `This package\n${texts[0]}\nPowertools\n${texts[1]}`,
  };
}

function powertoolsOptions({ powertools, table }: Given): PowertoolsRecordsOptions {
  if (powertools === undefined) {
    throw usageFailure('--powertools is required: the options of powertoolsRecords, such as {"eventKeyJmesPath":"id"}');
  }
  return { tableName: table, mode: 'readThrough', ...(parseJson('--powertools', powertools) as object) } as never;
}
