import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A connection that hangs must not eat the invocation: at most three tries of four seconds. */
const MAX_ATTEMPTS = 3;
const CONNECTION_TIMEOUT_MILLIS = 1000;
const REQUEST_TIMEOUT_MILLIS = 3000;

/** The client is made when it is first used: a function that is only initialised pays nothing for it. */
export function lazyDocumentClient(given: DynamoDBClient | DynamoDBDocumentClient | undefined) {
  let client: DynamoDBDocumentClient | undefined;
  return () => {
    client ??= DynamoDBDocumentClient.from(given === undefined ? ownClient() : isolated(given), {});
    return client;
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
 * `DynamoDBDocumentClient.from` writes its marshalling options into the configuration of the client that it is given,
 * and with it into every document client made from that one. The given client shares its connections and middlewares
 * with ours, but keeps its own configuration.
 */
function isolated(given: DynamoDBClient | DynamoDBDocumentClient): DynamoDBClient {
  const config = { ...given.config, cacheMiddleware: false };
  return Object.create(given, { config: { value: config } }) as DynamoDBClient;
}
