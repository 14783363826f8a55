import type { MigrationSource } from '../core/options.ts';
import type { RecordStore } from '../core/record/store.ts';
import { optionError } from '../errors.ts';
import { legacyIdentity } from './legacy-id.ts';
import { mirror } from './mirror.ts';
import { type PowertoolsRecordsOptions, type ResolvedPowertools, resolvePowertools } from './options.ts';
import { readThrough } from './read-through.ts';
import { legacyTable } from './table.ts';

export type { PowertoolsRecordsOptions } from './options.ts';

/**
 * The records of the idempotency utility of Powertools for AWS Lambda (TypeScript), for the option `migrateFrom` of `idempotency`,
 * `httpIdempotency` and `idempotent`. A request that the old code has executed gets its outcome, and is not executed again.
 *
 * Needs `@aws-sdk/client-dynamodb` and `@aws-sdk/lib-dynamodb`, and `dynamodb:GetItem` on Powertools' table. Mode `'mirror'`
 * needs `dynamodb:PutItem` and `dynamodb:DeleteItem` there, too.
 *
 * @throws TypeError that names the wrong option, here or when the guard is constructed
 */
export function powertoolsRecords(options: PowertoolsRecordsOptions): MigrationSource {
  const powertools = resolvePowertools(options);
  const table = legacyTable(powertools);
  const storeOf = powertools.mode === 'mirror' ? mirror : readThrough;
  return {
    name: 'powertools',
    attach(options, runtime, given) {
      requireFit(powertools, options.store, given);
      return (identity, args, format) => {
        const legacy = legacyIdentity(powertools, args);
        if (!legacy) warnOfMissingKey(powertools.eventKeyJmesPath);
        return legacy ? storeOf({ options, runtime, identity, format, legacy, table, powertools }) : options.store;
      };
    },
  };
}

/** @throws TypeError where the guard and the old records do not fit together */
function requireFit(
  powertools: ResolvedPowertools,
  { dynamoDB }: RecordStore,
  { scope, fingerprint }: Parameters<MigrationSource['attach']>[2],
): void {
  const { mode, payloadValidationJmesPath, acceptRecordsWithoutScope } = powertools;
  if (scope !== undefined && !acceptRecordsWithoutScope) {
    throw optionError(
      'migrateFrom',
      "Powertools' records have no scope, so that a record may be another caller's. If the key selects the caller, too, say so " +
        'by `acceptRecordsWithoutScope: true` in powertoolsRecords',
    );
  }
  if (payloadValidationJmesPath !== undefined && fingerprint === undefined) {
    throw optionError('migrateFrom', 'payloadValidationJmesPath needs the option `fingerprint` of this guard');
  }
  if (mode === 'readThrough') return;
  if (dynamoDB === undefined) {
    throw optionError('migrateFrom', "mode 'mirror' needs dynamoDBStore: its transactions reach Powertools' table");
  }
  if (dynamoDB.codec !== undefined) {
    throw optionError(
      'migrateFrom',
      "mode 'mirror' refuses a store with a codec: Powertools' item would be in the clear",
    );
  }
}

const warned = new Set<string>();

/** It may be meant. Or the expression is for an event that another middleware has changed, and nothing is ever found. */
function warnOfMissingKey(expression: string): void {
  if (warned.has(expression)) return;
  warned.add(expression);
  process.emitWarning(
    `powertoolsRecords: \`${expression}\` selected nothing, so that no record of Powertools counts for this request. ` +
      'The expression reads the event as it comes.',
    { type: 'IdempotencyWarning', code: 'MIDDY_IDEMPOTENCY_NO_LEGACY_KEY' },
  );
}
