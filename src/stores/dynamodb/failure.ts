import { revised, storeUnavailable } from '../../core/record/failures.ts';
import { IdempotencyError } from '../../errors.ts';

/**
 * An item is being written by a transaction: with `transact`, by that of the record's own owner. The
 * conflict ends in a moment (AWS: "Amazon DynamoDB transactions: how it works"), and the SDK does not
 * try again by itself.
 */
export const TRANSACTION_CONFLICT = 'TransactionConflictException';

/** The SDK's message, and that of the store without it. */
export const REGION_MISSING = 'Region is missing';

/** An error of the SDK, or in its shape. */
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
  const {
    name = '',
    message = '',
    $metadata,
    $fault,
    $retryable,
  } = (error ?? {}) as Partial<Error> & {
    $metadata?: { httpStatusCode?: number; attempts?: number };
    $fault?: unknown;
    $retryable?: unknown;
  };
  const { httpStatusCode: status = 0, attempts = 1 } = $metadata ?? {};
  return { name, message, status, attempts, isClientFault: $fault === 'client', isRetryable: $retryable !== undefined };
}

/** `'unclear'`: refused, and not by DynamoDB, so that it is not known what was written. */
type Kind = 'refused' | 'record refused' | 'unclear' | 'busy' | 'unanswered';

const NO_CREDENTIALS = 'No valid AWS credentials.';
const THROTTLED = 'Give the table more capacity.';

/** What an error means, by its name ("Error handling with DynamoDB", AWS), and what the operator can do. */
const REFUSED: Readonly<Record<string, string>> = {
  ResourceNotFoundException: 'Create the table, or correct `tableName`.',
  AccessDeniedException:
    'Allow dynamodb:PutItem, DeleteItem and GetItem on the table, and a transaction what its items do.',
  EndpointError: 'Nothing was sent.',
  CredentialsProviderError: NO_CREDENTIALS,
  UnrecognizedClientException: NO_CREDENTIALS,
  InvalidSignatureException: NO_CREDENTIALS,
  ExpiredTokenException: NO_CREDENTIALS,
  ValidationException: 'Does the table have another key? Name it by `attributes.id`, and a sort key by `sortKey`.',
};

/** The same for what may pass by itself. */
const BUSY: Readonly<Record<string, string>> = {
  ThrottlingException: THROTTLED,
  ProvisionedThroughputExceededException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  [TRANSACTION_CONFLICT]: 'A transaction was writing to the record all the time.',
  TransactionCanceledException: 'Other writes were in the way, or a table is throttled.',
  TransactionInProgressException: 'The same transaction is still at work.',
};

/** What the SDK threw, as `STORE_UNAVAILABLE`. The advice has the service's own words. */
export function unavailable(error: unknown, tableName: string): IdempotencyError {
  const sdk = sdkError(error);
  const { name, message, attempts } = sdk;
  const [kind, advice] = explain(sdk);
  // An earlier attempt of the SDK may have been applied, and its answer lost.
  const isDoubtful = kind === 'unclear' || attempts > 1;
  return storeUnavailable({
    cause: error,
    advice: `${advice} Table '${tableName}': ${name}: ${message}`,
    retryable: kind === 'busy' || kind === 'unanswered' ? true : isDoubtful ? undefined : false,
    unanswered: kind === 'unanswered' || undefined,
    recordRefused: kind === 'record refused' || undefined,
  });
}

/** The same failure, where DynamoDB had answered an earlier request. */
export function answered(error: unknown): unknown {
  if (!(error instanceof IdempotencyError) || !error.unanswered) return error;
  return revised(error, { unanswered: undefined });
}

function explain({ name, message, status, isClientFault, isRetryable }: SdkError): readonly [Kind, string] {
  if (name === 'ValidationException' && /size/i.test(message)) {
    return ['record refused', 'The record is larger than an item may be.'];
  }
  const refused = message === REGION_MISSING ? 'Set AWS_REGION, or `region`.' : REFUSED[name];
  if (refused) return ['refused', refused];
  const busy = BUSY[name];
  if (busy) return ['busy', busy];
  if (status < 400 || status >= 500) {
    return ['unanswered', 'DynamoDB could not be reached, or failed. Look at the network path to it.'];
  }
  const kind = isRetryable || status === 429 ? 'busy' : isClientFault ? 'refused' : 'unclear';
  return [kind, `The request got status ${status}.`];
}
