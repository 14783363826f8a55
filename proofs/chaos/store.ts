import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { liteStore } from '../lib/lite-store.ts';
import { CALL_HEADER } from './asked.ts';
import { MAX_ATTEMPTS, REQUEST_TIMEOUT_MILLIS } from './terms.ts';

interface Setup {
  /** `undefined`: without the SDK. */
  readonly client: DynamoDBClient | undefined;
  readonly endpoint: string;
  readonly tableName: string;
}

/** The store that the guards use. Each request says in a header for which call it is sent. */
export function storeOf({ client, endpoint, tableName }: Setup, currentCall: () => string) {
  if (client === undefined) {
    const limits = { maxAttempts: MAX_ATTEMPTS, answerMillis: REQUEST_TIMEOUT_MILLIS };
    return liteStore({ endpoint, tableName, ...limits }, ({ headers }, send) => {
      headers[CALL_HEADER] = currentCall();
      return send();
    });
  }
  client.middlewareStack.add(
    (next) => async (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers[CALL_HEADER] = currentCall();
      return next(args);
    },
    { step: 'build' },
  );
  return dynamoDBStore({ client, tableName });
}
