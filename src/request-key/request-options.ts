import { requireOneOf } from '../core/options.ts';
import { wrongOption } from '../errors.ts';
import { type CompiledSelector, compileSelector, type Selector } from './selector.ts';

/** The options that read the request. */
export interface RequestOptions<Args extends readonly unknown[] = readonly [event: unknown]> {
  /**
   * What identifies one logical request: a client's idempotency key, an order id, a message id. A path, a function, or
   * `jmespath('…')`.
   */
  readonly key: Selector<Args>;
  /**
   * Who is calling (tenant, user, API client), from data that the caller cannot forge: keys of two scopes never meet.
   * A request without the scope is refused with `SCOPE_MISSING`, whatever `onMissingKey` says. @default none
   */
  readonly scope?: Selector<Args>;
  /**
   * What must stay the same between retries (method, route, body): a key that comes again with another fingerprint is
   * refused with `KEY_REUSED`. @default none
   */
  readonly fingerprint?: Selector<Args>;
  /**
   * The name of the guarded work: two operations never share a record. Give each guarded function its own.
   * @default the Lambda function's name
   */
  readonly operation?: string;
  /**
   * What becomes of a request without a key: `'throw'` refuses it with `KEY_MISSING`, `'run'` executes it unguarded, as
   * often as it comes. A key is missing when it is absent, null or empty, or is a list or hash with such a member.
   * @default 'throw'
   */
  readonly onMissingKey?: 'throw' | 'run';
}

export const REQUEST_OPTION_NAMES = [
  'key',
  'scope',
  'fingerprint',
  'operation',
  'onMissingKey',
] as const satisfies readonly (keyof RequestOptions)[];

export interface ResolvedRequestOptions {
  readonly key: CompiledSelector;
  readonly scope: CompiledSelector | undefined;
  readonly fingerprint: CompiledSelector | undefined;
  readonly operation: string | undefined;
  readonly onMissingKey: 'throw' | 'run';
}

/** Checks the options and compiles the expressions, once. @throws TypeError that names the wrong option */
export function resolveRequestOptions(options: RequestOptions<never>): ResolvedRequestOptions {
  const { key, scope, fingerprint, operation, onMissingKey = 'throw' } = options;
  requireOneOf('onMissingKey', onMissingKey, ['throw', 'run']);
  if (operation !== undefined) requireOperation(operation);
  return {
    key: compileSelector('key', key),
    scope: scope === undefined ? undefined : compileSelector('scope', scope),
    fingerprint: fingerprint === undefined ? undefined : compileSelector('fingerprint', fingerprint),
    operation,
    onMissingKey,
  };
}

/** DynamoDB's limit for a partition key is 2048 bytes (AWS: "Quotas and limits"); the digest needs 44 of them. */
const MAX_OPERATION_BYTES = 1024;

/** Whether the name can be the first part of a record id. */
export function isOperation(name: unknown): name is string {
  return typeof name === 'string' && name.trim() !== '' && Buffer.byteLength(name) <= MAX_OPERATION_BYTES;
}

/** @throws TypeError when the name cannot be the first part of a record id */
export function requireOperation(operation: unknown): asserts operation is string {
  if (!isOperation(operation)) {
    throw wrongOption(
      'operation',
      `a string of 1 to ${MAX_OPERATION_BYTES} bytes, such as 'create-payment'`,
      operation,
    );
  }
}
