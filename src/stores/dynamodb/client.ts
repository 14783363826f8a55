import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, type TranslateConfig } from '@aws-sdk/lib-dynamodb';

/** A connection that hangs must not use up the invocation: at most three tries of four seconds. */
const MAX_ATTEMPTS = 3;
const CONNECTION_TIMEOUT_MILLIS = 1000;
const REQUEST_TIMEOUT_MILLIS = 3000;

/**
 * The clients are made when they are first used: a function that is only initialised pays nothing
 * for them. `records` is for what this package writes, in the form of the low-level client; a
 * document client takes that as well. `transactions` takes items of the user, in the form that the
 * user's own document client is set to, if one was given.
 */
export function lazyClients(given: DynamoDBClient | DynamoDBDocumentClient | undefined) {
  const records = lazy(() => (given ?? ownClient()) as DynamoDBClient);
  const transactions = lazy(() => DynamoDBDocumentClient.from(isolated(records()), translationOf(given)));
  return { records, transactions };
}

/** A copy: the SDK writes its defaults into what it is given. */
function translationOf(given: DynamoDBClient | DynamoDBDocumentClient | undefined): TranslateConfig {
  const { translateConfig } = (given?.config ?? {}) as { translateConfig?: TranslateConfig };
  return {
    marshallOptions: { ...translateConfig?.marshallOptions },
    unmarshallOptions: { ...translateConfig?.unmarshallOptions },
  };
}

function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function ownClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MILLIS,
      requestTimeout: REQUEST_TIMEOUT_MILLIS,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * `DynamoDBDocumentClient.from` writes its marshalling options into the configuration of the given
 * client. They then apply to every document client made from that one. The given client shares its
 * connections and middlewares with ours, but keeps its own configuration.
 */
function isolated(given: DynamoDBClient): DynamoDBClient {
  const config = { ...given.config, cacheMiddleware: false };
  return Object.create(given, { config: { value: config } }) as DynamoDBClient;
}
