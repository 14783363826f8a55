import { IdempotencyError } from '../../errors.ts';

const ACTIONS =
  'dynamodb:PutItem and dynamodb:DeleteItem (and dynamodb:GetItem, for outcomes of more than one item and store.read)';

/**
 * Whatever the SDK threw, as `STORE_UNAVAILABLE` with advice. Error names: "Error handling with DynamoDB" (AWS).
 * `retryable` is false where DynamoDB has refused the request itself: nothing was written, and trying again is futile.
 */
export function unavailable(error: unknown, tableName: string): IdempotencyError {
  const { advice, retryable, recordRefused } = explain(error, tableName);
  return new IdempotencyError(
    'STORE_UNAVAILABLE',
    'The request could not be checked for duplicates. Retry later with the same key.',
    { cause: error, advice, retryable, ...(recordRefused === true && { recordRefused }) },
  );
}

interface Explanation {
  readonly advice: string;
  readonly retryable: boolean;
  readonly recordRefused?: boolean;
}

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
        `${table} has another key: its partition key must be the string attribute that \`attributes.id\` names ` +
          `(default 'id'), and a sort key must be named by \`sortKey\`. DynamoDB says: ${message}`,
      );
    case 'ThrottlingException':
    case 'ProvisionedThroughputExceededException':
    case 'RequestLimitExceeded':
      return again(`${table} is throttled: give it on-demand capacity, or more of it.`);
    case 'TimeoutError':
      return again(`DynamoDB did not answer in time. Look at the network path to it (VPC endpoint, security group).`);
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
