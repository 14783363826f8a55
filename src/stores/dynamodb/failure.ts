import { storeUnavailable } from '../../core/record/failures.ts';
import { IdempotencyError } from '../../errors.ts';

const ACTIONS =
  'dynamodb:PutItem and dynamodb:DeleteItem (and dynamodb:GetItem, for outcomes of more than one item, waitMillis and store.read)';

/**
 * An item is being written by a transaction: with `transact`, by that of the record's own owner. The
 * conflict ends in a moment (AWS: "Amazon DynamoDB transactions: how it works"), and the SDK does not
 * try again by itself.
 */
export const TRANSACTION_CONFLICT = 'TransactionConflictException';

/** The SDK's message. */
export const REGION_MISSING = 'Region is missing';

/** An error of the SDK. */
interface SdkError {
  readonly name: string;
  readonly message: string;
  /** 0 where no answer came. */
  readonly status: number;
  /** How often the SDK has sent the request. */
  readonly attempts: number;
  /** DynamoDB itself has refused the request, and not a proxy in front of it. */
  readonly isClientFault: boolean;
  /** Whether the SDK would have tried again. */
  readonly isRetryable: boolean;
}

export function sdkError(error: unknown): SdkError {
  const { name = '', message = '' } = error instanceof Error ? error : {};
  const { $metadata, $fault, $retryable } = (error ?? {}) as {
    $metadata?: { httpStatusCode?: number; attempts?: number };
    $fault?: unknown;
    $retryable?: unknown;
  };
  const { httpStatusCode: status = 0, attempts = 1 } = $metadata ?? {};
  return { name, message, status, attempts, isClientFault: $fault === 'client', isRetryable: $retryable !== undefined };
}

/** What the SDK threw, as `STORE_UNAVAILABLE` with advice. Error names: "Error handling with DynamoDB" (AWS). */
export function unavailable(error: unknown, tableName: string): IdempotencyError {
  const sdk = sdkError(error);
  return failureOf(error, sdk, explain(sdk, tableName));
}

/** The same for a transaction. It has items of the caller, in tables of the caller. */
export function transactionUnavailable(error: unknown, tableName: string): IdempotencyError {
  const sdk = sdkError(error);
  return failureOf(error, sdk, explainTransaction(sdk, tableName) ?? explain(sdk, tableName));
}

/** The same failure, where DynamoDB had answered an earlier request. */
export function answered(error: unknown): unknown {
  if (!(error instanceof IdempotencyError) || error.unanswered !== true) return error;
  return storeUnavailable({ ...error, unanswered: undefined, cause: error });
}

type Kind = 'refused' | 'record refused' | 'busy' | 'unanswered';
type Explanation = readonly [kind: Kind, advice: string];

function failureOf(cause: unknown, { attempts }: SdkError, [kind, advice]: Explanation): IdempotencyError {
  const isRefused = kind === 'refused' || kind === 'record refused';
  return storeUnavailable({
    cause,
    advice,
    // An earlier attempt of the SDK may have been applied, and its answer lost.
    retryable: !isRefused ? true : attempts > 1 ? undefined : false,
    unanswered: kind === 'unanswered' || undefined,
    recordRefused: kind === 'record refused' || undefined,
  });
}

function explainTransaction({ name, message }: SdkError, tableName: string): Explanation | undefined {
  switch (name) {
    case 'AccessDeniedException':
      return [
        'refused',
        `Allow the function's role what the transaction does: dynamodb:PutItem on table '${tableName}', and on the table of ` +
          'each item dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem or dynamodb:ConditionCheckItem. ' +
          `DynamoDB says: ${message}`,
      ];
    case 'ResourceNotFoundException':
      return [
        'refused',
        `Table '${tableName}', or the table of an item, does not exist in this account and region. ${message}`,
      ];
    case 'TransactionCanceledException':
      return ['busy', `Other writes of the same items were in the way, or their tables are throttled: ${message}`];
    case 'TransactionInProgressException':
      return ['busy', 'The same transaction, sent before, is still at work.'];
    default:
      return undefined;
  }
}

function explain({ name, message, status, isClientFault, isRetryable }: SdkError, tableName: string): Explanation {
  const table = `table '${tableName}'`;
  switch (name) {
    case 'ResourceNotFoundException':
      return ['refused', `There is no ${table} in this account and region: create it, or correct \`tableName\`.`];
    case 'AccessDeniedException':
      return ['refused', `Allow ${ACTIONS} on ${table} to the function's role. DynamoDB says: ${message}`];
    case 'CredentialsProviderError':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'ExpiredTokenException':
      return ['refused', `The SDK has no valid AWS credentials: ${message}`];
    case 'ValidationException':
      if (/size/i.test(message)) return ['record refused', `The record exceeds what an item of ${table} may hold.`];
      return [
        'refused',
        `${table} has another key. Its partition key must be the string attribute that \`attributes.id\` names ` +
          `(default 'id'), and \`sortKey\` must name a sort key. DynamoDB says: ${message}`,
      ];
    case 'ThrottlingException':
    case 'ProvisionedThroughputExceededException':
    case 'RequestLimitExceeded':
      return ['busy', `${table} is throttled: give it on-demand capacity, or more of it. DynamoDB says: ${message}`];
    case TRANSACTION_CONFLICT:
      return ['busy', `A transaction was writing to the record all the time: ${message}`];
    case 'TimeoutError':
      return [
        'unanswered',
        'DynamoDB did not answer in time. Look at the network path to it (VPC endpoint, security group).',
      ];
  }
  if (message === REGION_MISSING) {
    return ['refused', 'The SDK does not know the region: set AWS_REGION, or give `client` one. Nothing was sent.'];
  }
  const said = `${name}: ${message}`;
  if (status < 400 || status >= 500) return ['unanswered', `DynamoDB could not be reached, or failed: ${said}`];
  if (status === 429 || isRetryable) return ['busy', `DynamoDB was busy: ${said}`];
  // A proxy's error page is no word of DynamoDB's: it does not tell what was written.
  return [isClientFault ? 'refused' : 'busy', `The request was refused with status ${status}: ${said}`];
}
