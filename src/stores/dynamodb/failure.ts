import { IdempotencyError } from '../../errors.ts';

const ACTIONS =
  'dynamodb:PutItem and dynamodb:DeleteItem (and dynamodb:GetItem, for outcomes of more than one item, waitMillis and store.read)';

/**
 * What the SDK threw, as `STORE_UNAVAILABLE` with advice. Error names: "Error handling with
 * DynamoDB" (AWS). `retryable` is false where DynamoDB has refused the request itself: nothing was
 * written, and another try would fail, too.
 */
export function unavailable(error: unknown, tableName: string): IdempotencyError {
  const { advice, retryable, recordRefused } = explain(error, tableName);
  return new IdempotencyError(
    'STORE_UNAVAILABLE',
    'The request could not be checked for duplicates. Retry later with the same key.',
    { cause: error, advice, retryable, ...(recordRefused === true && { recordRefused }) },
  );
}

/** The same for a transaction, which also has items of the caller, in the caller's own tables. */
export function transactionUnavailable(error: unknown, tableName: string): IdempotencyError {
  const { name = '', message = '' } = error instanceof Error ? error : {};
  const explained = TRANSACTION_FAILURES[name]?.(message, tableName);
  if (explained === undefined) return unavailable(error, tableName);
  const { advice, retryable } = explained;
  return new IdempotencyError(
    'STORE_UNAVAILABLE',
    'The request could not be checked for duplicates. Retry later with the same key.',
    { cause: error, advice, retryable },
  );
}

const TRANSACTION_FAILURES: Readonly<Record<string, (message: string, tableName: string) => Explanation>> = {
  AccessDeniedException: (message, tableName) =>
    refused(
      `Allow the function's role what the transaction does: dynamodb:PutItem on table '${tableName}', and on the table of ` +
        'each item dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem or dynamodb:ConditionCheckItem. ' +
        `DynamoDB says: ${message}`,
    ),
  ResourceNotFoundException: (message, tableName) =>
    refused(`Table '${tableName}', or the table of an item, does not exist in this account and region. ${message}`),
  TransactionCanceledException: (message) =>
    again(`Other writes of the same items were in the way, or their tables are throttled: ${message}`),
  TransactionInProgressException: () => again('The same transaction, sent before, is still at work.'),
};

interface Explanation {
  readonly advice: string;
  readonly retryable: boolean;
  readonly recordRefused?: boolean;
}

/**
 * An item is being written by a transaction: with `transact`, that of the record's own owner. It
 * ends in a moment (AWS: "Amazon DynamoDB transactions: how it works", transaction conflicts), and
 * the SDK does not try again by itself.
 */
export const TRANSACTION_CONFLICT = 'TransactionConflictException';

function explain(error: unknown, tableName: string): Explanation {
  const { name = '', message = '' } = error instanceof Error ? error : {};
  const table = `table '${tableName}'`;
  switch (name) {
    case 'ResourceNotFoundException':
      return refused(`There is no ${table} in this account and region: create it, or correct \`tableName\`.`);
    case 'AccessDeniedException':
      return refused(`Allow ${ACTIONS} on ${table} to the function's role.`);
    case 'CredentialsProviderError':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'ExpiredTokenException':
      return refused(`The SDK has no valid AWS credentials: ${message}`);
    case 'ValidationException':
      if (/size/i.test(message)) {
        return { ...refused(`The record exceeds what an item of ${table} may hold.`), recordRefused: true };
      }
      return refused(
        `${table} has another key. Its partition key must be the string attribute that \`attributes.id\` names ` +
          `(default 'id'), and \`sortKey\` must name a sort key. DynamoDB says: ${message}`,
      );
    case 'ThrottlingException':
    case 'ProvisionedThroughputExceededException':
    case 'RequestLimitExceeded':
      return again(`${table} is throttled: give it on-demand capacity, or more of it.`);
    case TRANSACTION_CONFLICT:
      return again(`A transaction was writing to the record all the time: ${message}`);
    case 'TimeoutError':
      return again(`DynamoDB did not answer in time. Look at the network path to it (VPC endpoint, security group).`);
  }
  if (message === 'Region is missing') {
    return refused('The SDK does not know the region: set AWS_REGION, or give `client` one. Nothing was sent.');
  }
  if (isRefusal(error)) return refused(`DynamoDB refused the request: ${name}: ${message}`);
  return again(`DynamoDB could not be reached, or failed: ${name}: ${message}`);
}

/** A 4xx that is not about load. */
function isRefusal(error: unknown): boolean {
  const { $metadata, $retryable } = error as { $metadata?: { httpStatusCode?: number }; $retryable?: unknown };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500 && status !== 429 && $retryable === undefined;
}

const refused = (advice: string) => ({ advice, retryable: false });
const again = (advice: string) => ({ advice, retryable: true });
