import { search } from '@aws-lambda-powertools/jmespath';
import { getBuiltinModule } from '../builtins.ts';
import { IdempotencyError } from '../errors.ts';
import { isObject, tagOf } from '../json.ts';
import { unusable } from '../request-key/canonical.ts';
import type { ResolvedPowertools } from './options.ts';

/** How Powertools identifies a request. */
export interface LegacyIdentity {
  /** `<prefix>#<base64 of the hash>` */
  readonly id: string;
  /** The hash of the payload that is validated, where the old code validates one. */
  readonly validation: string | undefined;
}

/**
 * The id under which Powertools (TypeScript, 2.35) has its record of the request.
 *
 * @returns `undefined` where the key selects nothing. Powertools runs the request without a record, or with one that it shares
 * @throws IdempotencyError `KEY_MISSING`, `KEY_INVALID`, where Powertools throws, too
 */
export function legacyIdentity(options: ResolvedPowertools, args: readonly unknown[]): LegacyIdentity | undefined {
  const { eventKeyJmesPath, payloadValidationJmesPath, throwOnNoIdempotencyKey, prefix } = options;
  const data = args[options.dataIndexArgument];
  const key = eventKeyJmesPath === '' ? data : select(options, eventKeyJmesPath, data);
  if (throwOnNoIdempotencyKey && isMissing(key)) {
    throw new IdempotencyError('KEY_MISSING', 'This request needs an idempotency key.', {
      advice: `eventKeyJmesPath of powertoolsRecords selected none: \`${eventKeyJmesPath}\`.`,
    });
  }
  if (eventKeyJmesPath !== '' && isGap(key)) return undefined;
  return {
    id: `${prefix}#${digest(options, key)}`,
    validation: payloadValidationJmesPath && digest(options, select(options, payloadValidationJmesPath, data)),
  };
}

function select({ jmesPathOptions }: ResolvedPowertools, expression: string, data: unknown): unknown {
  try {
    return search(expression, data as Parameters<typeof search>[1], { customFunctions: jmesPathOptions });
  } catch (cause) {
    throw unusable('key', 'read: the request is malformed', {
      // The parser's message quotes the request.
      cause: cause instanceof SyntaxError ? new SyntaxError('no JSON') : cause,
      advice: `The expression \`${expression}\` of powertoolsRecords threw, as it does in Powertools.`,
    });
  }
}

/**
 * Powertools has a record for a key that is all gaps, such as `[null, null]`, and every such request shares it. That record is
 * no evidence of this request.
 */
function isGap(key: unknown): boolean {
  return (key ?? null) === null || (isObject(key) && Object.values(key).every(isGap));
}

/** As in `BasePersistenceLayer`: nothing, or only members that are nothing. */
function isMissing(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return !key;
  return !Object.values(key).some(Boolean);
}

function digest({ hashFunction }: ResolvedPowertools, value: unknown): string {
  const json = JSON.stringify(deepSort(value));
  if (json === undefined) throw unusable('key', 'used: it is no JSON', {});
  return getBuiltinModule('node:crypto').createHash(hashFunction).update(json).digest('base64');
}

/** As in Powertools' `deepSort.js`, with its comparison: keys that differ only in case keep the order that it leaves them in. */
function deepSort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deepSort);
  if (tagOf(value) !== '[object Object]') return value;
  const object = value as Readonly<Record<string, unknown>>;
  const sorted: Record<string, unknown> = {};
  for (const name of Object.keys(object).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))) {
    sorted[name] = deepSort(object[name]);
  }
  return sorted;
}
