import { optionError } from '../../errors.ts';
import type { CodecContext, OutcomeCodec } from './codec.ts';
import { liteConnection } from './lite/connection.ts';
import type { Credentials, CredentialsProvider } from './lite/credentials.ts';
import { isHostLabel, urlOf } from './lite/endpoint.ts';
import { type AttributeNames, resolveTableOptions, type TableOptions } from './options.ts';
import { type DynamoDBStore, recordStore } from './store.ts';
import type { TransactionItem, TransactionWrite } from './transaction-item.ts';

export type {
  AttributeNames,
  CodecContext,
  Credentials,
  CredentialsProvider,
  DynamoDBStore,
  OutcomeCodec,
  TableOptions,
  TransactionItem,
  TransactionWrite,
};

/** What this store takes besides. */
export interface DynamoDBStoreOptions extends TableOptions {
  /** @default the environment variable `AWS_REGION` */
  readonly region?: string | undefined;
  /**
   * A URL, such as `http://localhost:8000`.
   * @default `AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL`, or the endpoint of the region
   */
  readonly endpoint?: string | undefined;
  /**
   * Credentials, or a function that provides them: those of `@aws-sdk/credential-providers` fit. It is called for each
   * request; what it gave with an `expiration` is kept until shortly before that.
   * @default those of the Lambda function: environment variables, or the container endpoint that they name
   */
  readonly credentials?: Credentials | CredentialsProvider | undefined;
}

/**
 * The same store as `dynamoDBStore` of `middy-idempotency/dynamodb`, with the same items, without the AWS SDK: DynamoDB's
 * JSON protocol over connections of `node:https` that are kept. A request has 3 attempts, 1 s to connect and 3 s for an
 * attempt. Needs the same permissions.
 *
 * @throws TypeError that names the wrong option
 */
export function dynamoDBStore(options: DynamoDBStoreOptions): DynamoDBStore {
  const resolved = resolveTableOptions(options, 'region', 'endpoint', 'credentials');
  const { region, endpoint, credentials } = options;
  if (region !== undefined && (typeof region !== 'string' || !isHostLabel(region))) {
    throw optionError('region', "must be the name of a region, such as 'eu-central-1'");
  }
  if (endpoint !== undefined) requireUrl(endpoint);
  if (credentials !== undefined && typeof credentials !== 'function' && !areCredentials(credentials)) {
    throw optionError('credentials', 'must be { accessKeyId, secretAccessKey }, or a function that gives them');
  }
  return recordStore(resolved, liteConnection({ region, endpoint, credentials }));
}

function requireUrl(endpoint: unknown): void {
  try {
    if (typeof endpoint === 'string') return void urlOf(endpoint);
  } catch {
    // The error below says it.
  }
  throw optionError('endpoint', 'must be a URL such as https://host:port');
}

function areCredentials(credentials: Credentials): boolean {
  const { accessKeyId, secretAccessKey } = credentials ?? {};
  return [accessKeyId, secretAccessKey].every((part) => typeof part === 'string' && part !== '');
}
