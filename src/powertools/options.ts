import {
  EmptyExpressionError,
  IncompleteExpressionError,
  LexerError,
  ParseError,
  search,
  UnknownFunctionError,
} from '@aws-lambda-powertools/jmespath';
import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { getBuiltinModule } from '../builtins.ts';
import { refuseUnknownOptions, requireOneOf } from '../core/options.ts';
import { optionError, wrongOption } from '../errors.ts';

/**
 * How Powertools' idempotency was set up: the options of its `IdempotencyConfig`, of its `DynamoDBPersistenceLayer` and of
 * `makeIdempotent`, by their own names and with their defaults.
 */
export interface PowertoolsRecordsOptions {
  /** Powertools' table. It may be the table of this guard's store. */
  readonly tableName: string | undefined;
  /**
   * `'readThrough'`: no old code runs any more. Its records are read, and nothing of it is written.
   * `'mirror'`: old and new code run together. Every record of this guard is written as a record of Powertools, too, in the same
   * transaction. It needs a store for DynamoDB without a codec.
   */
  readonly mode: 'readThrough' | 'mirror';
  /**
   * The key that the old code uses, an expression of JMESPath over the event as it comes to this guard. `''` is the whole event,
   * as in Powertools.
   */
  readonly eventKeyJmesPath: string;
  /** The old code's payload validation. It needs the guard's option `fingerprint`. @default none */
  readonly payloadValidationJmesPath?: string;
  /**
   * What becomes of a request in which `eventKeyJmesPath` selects nothing, or only gaps (`[null, null]`). `false`: no record of
   * Powertools counts, so that only this guard's own does, with a warning. `true`: it is refused with `KEY_MISSING`. @default false
   */
  readonly throwOnNoIdempotencyKey?: boolean;
  /** The functions of the expressions: an instance of a class that extends `Functions`. @default `new PowertoolsFunctions()` */
  readonly jmesPathOptions?: object;
  /** A name of a hash of `node:crypto`. @default 'md5' */
  readonly hashFunction?: string;
  /** The name of the old Lambda function. @default AWS_LAMBDA_FUNCTION_NAME */
  readonly functionName?: string;
  /** The old code's `keyPrefix`. @default the function's name */
  readonly keyPrefix?: string;
  /** Which argument of a guarded function the expressions read. @default 0 */
  readonly dataIndexArgument?: number;
  /** A client for the reads of Powertools' table. @default a client made at first use, as that of `dynamoDBStore` */
  readonly client?: DynamoDBClient | DynamoDBDocumentClient;
  /** @default 'id' */
  readonly keyAttr?: string;
  /** @default none */
  readonly sortKeyAttr?: string;
  /** With `sortKeyAttr`: the value of the partition key. @default `idempotency#` and the function's name */
  readonly staticPkValue?: string;
  /** @default 'status' */
  readonly statusAttr?: string;
  /** @default 'expiration' */
  readonly expiryAttr?: string;
  /** @default 'in_progress_expiration' */
  readonly inProgressExpiryAttr?: string;
  /** @default 'data' */
  readonly dataAttr?: string;
  /** @default 'validation' */
  readonly validationKeyAttr?: string;
  /**
   * Says that the key alone tells callers apart, because `eventKeyJmesPath` selects the caller, too, or because there is only one.
   * Powertools' records have no scope: with a scope of this guard, a record could be another caller's, and a replay would show it.
   * @default false: a guard with a scope is refused at construction
   */
  readonly acceptRecordsWithoutScope?: boolean;
}

/** Everything that has a default, with it. */
export interface ResolvedPowertools {
  readonly tableName: string;
  readonly mode: 'readThrough' | 'mirror';
  readonly eventKeyJmesPath: string;
  readonly payloadValidationJmesPath: string | undefined;
  readonly throwOnNoIdempotencyKey: boolean;
  readonly jmesPathOptions: PowertoolsFunctions;
  readonly hashFunction: string;
  readonly prefix: string;
  readonly staticPkValue: string;
  readonly dataIndexArgument: number;
  readonly client: DynamoDBClient | DynamoDBDocumentClient | undefined;
  readonly sortKeyAttr: string | undefined;
  readonly names: Names;
  readonly acceptRecordsWithoutScope: boolean;
}

/** The attributes of an item of Powertools. */
export interface Names {
  readonly key: string;
  readonly status: string;
  readonly expiry: string;
  readonly inProgressExpiry: string;
  readonly data: string;
  readonly validation: string;
}

const NAMES = [
  'keyAttr',
  'sortKeyAttr',
  'statusAttr',
  'expiryAttr',
  'inProgressExpiryAttr',
  'dataAttr',
  'validationKeyAttr',
] as const;

const TEXTS = [...NAMES, 'hashFunction', 'functionName', 'keyPrefix', 'staticPkValue'] as const;

const OPTION_NAMES = [
  ...TEXTS,
  'tableName',
  'mode',
  'eventKeyJmesPath',
  'payloadValidationJmesPath',
  'throwOnNoIdempotencyKey',
  'jmesPathOptions',
  'dataIndexArgument',
  'client',
  'acceptRecordsWithoutScope',
] as const satisfies readonly (keyof PowertoolsRecordsOptions)[];

/** @throws TypeError that names the wrong option */
export function resolvePowertools(options: PowertoolsRecordsOptions): ResolvedPowertools {
  refuseUnknownOptions(options, OPTION_NAMES);
  const { tableName, mode, client, dataIndexArgument = 0, hashFunction = 'md5' } = options;
  const { throwOnNoIdempotencyKey = false, acceptRecordsWithoutScope = false } = options;
  const { eventKeyJmesPath, payloadValidationJmesPath } = options;
  // Another version of the library has the class, too: TypeScript would take the two for different ones.
  const jmesPathOptions = (options.jmesPathOptions ?? new PowertoolsFunctions()) as PowertoolsFunctions;
  if (typeof tableName !== 'string' || tableName.trim() === '') {
    throw optionError('tableName', 'is required: the table that Powertools writes to');
  }
  requireOneOf('mode', mode, ['readThrough', 'mirror']);
  for (const name of TEXTS) requireText(name, options[name]);
  requireExpression('eventKeyJmesPath', eventKeyJmesPath, jmesPathOptions);
  if (payloadValidationJmesPath !== undefined) {
    requireExpression('payloadValidationJmesPath', payloadValidationJmesPath, jmesPathOptions);
  }
  requireOneOf('throwOnNoIdempotencyKey', throwOnNoIdempotencyKey, [true, false]);
  requireOneOf('acceptRecordsWithoutScope', acceptRecordsWithoutScope, [true, false]);
  if (!Number.isInteger(dataIndexArgument) || dataIndexArgument < 0) {
    throw wrongOption('dataIndexArgument', 'the number of an argument, from 0 on', dataIndexArgument);
  }
  if (client !== undefined && typeof client?.send !== 'function') {
    throw wrongOption('client', 'a DynamoDBClient or a DynamoDBDocumentClient', client);
  }
  if (!getBuiltinModule('node:crypto').getHashes().includes(hashFunction)) {
    throw wrongOption('hashFunction', 'a hash of node:crypto', hashFunction);
  }
  const functionName = options.functionName ?? process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
  return {
    tableName,
    mode,
    eventKeyJmesPath,
    payloadValidationJmesPath,
    throwOnNoIdempotencyKey,
    jmesPathOptions,
    hashFunction,
    prefix: options.keyPrefix?.trim() || functionName,
    staticPkValue: options.staticPkValue ?? `idempotency#${functionName}`,
    dataIndexArgument,
    client,
    sortKeyAttr: options.sortKeyAttr,
    names: namesOf(options),
    acceptRecordsWithoutScope,
  };
}

function namesOf(options: PowertoolsRecordsOptions): Names {
  const names = {
    key: options.keyAttr ?? 'id',
    status: options.statusAttr ?? 'status',
    expiry: options.expiryAttr ?? 'expiration',
    inProgressExpiry: options.inProgressExpiryAttr ?? 'in_progress_expiration',
    data: options.dataAttr ?? 'data',
    validation: options.validationKeyAttr ?? 'validation',
  };
  if (options.sortKeyAttr === names.key) throw optionError('sortKeyAttr', 'must differ from keyAttr');
  return names;
}

function requireText(option: string, value: unknown): void {
  if (value !== undefined && (typeof value !== 'string' || value === '')) {
    throw wrongOption(option, 'a text that is not empty', value);
  }
}

/** What is wrong for every event. Types depend on the event. */
const MALFORMED = [EmptyExpressionError, IncompleteExpressionError, LexerError, ParseError, UnknownFunctionError];

function requireExpression(option: string, expression: unknown, functions: PowertoolsFunctions): void {
  if (typeof expression !== 'string') throw wrongOption(option, 'an expression of JMESPath', expression);
  try {
    if (expression !== '') search(expression, {}, { customFunctions: functions });
  } catch (error) {
    if (MALFORMED.some((kind) => error instanceof kind)) {
      throw optionError(option, `\`${expression}\` cannot be read: ${(error as Error).message}`);
    }
  }
}
