import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  type GetItemCommandInput,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand, type TranslateConfig } from '@aws-sdk/lib-dynamodb';
import type { Connection, Request } from './connection.ts';
import { marshalled } from './item.ts';

export type Client = DynamoDBClient | DynamoDBDocumentClient;

const COMMANDS = { PutItem: PutItemCommand, DeleteItem: DeleteItemCommand, GetItem: GetItemCommand } as const;

/**
 * Through the SDK. The clients are made when they are first used: a function that is only initialised pays nothing
 * for them. `records` is for what this package writes, in the form of the low-level client; a
 * document client takes that as well. `documents` takes items of the user, in the form that the
 * user's own document client is set to, if one was given.
 */
export function sdkConnection(given: Client | undefined): Connection {
  let client: DynamoDBClient | undefined;
  let documents: DynamoDBDocumentClient | undefined;
  const records = () => (client ??= (given ?? ownClient()) as DynamoDBClient);

  return {
    send(verb, request) {
      const Command = COMMANDS[verb] as typeof GetItemCommand;
      return records().send(new Command(inputOf(request)));
    },

    async transact(items, token) {
      let wasSent = false;
      const command = new TransactWriteCommand({ TransactItems: [...items], ClientRequestToken: token });
      command.middlewareStack.add(
        (next) => (args) => {
          wasSent = true;
          return next(args);
        },
        { step: 'finalizeRequest', priority: 'low' },
      );
      try {
        documents ??= DynamoDBDocumentClient.from(isolated(records()), translationOf(given));
        await documents.send(command);
        return undefined;
      } catch (error) {
        return { error, wasSent };
      }
    },
  };
}

function inputOf(request: Request): GetItemCommandInput {
  const input: Record<string, unknown> = { ...request };
  for (const name of ['Item', 'Key', 'ExpressionAttributeValues'] as const) {
    if (request[name]) input[name] = marshalled(request[name]);
  }
  return input as unknown as GetItemCommandInput;
}

/** A connection that hangs must not use up the invocation: at most three tries of four seconds. */
const MAX_ATTEMPTS = 3;
const CONNECTION_TIMEOUT_MILLIS = 1000;
const REQUEST_TIMEOUT_MILLIS = 3000;

/** A copy: the SDK writes its defaults into what it is given. */
function translationOf(given: Client | undefined): TranslateConfig {
  const { translateConfig } = (given?.config ?? {}) as { translateConfig?: TranslateConfig };
  return {
    marshallOptions: { ...translateConfig?.marshallOptions },
    unmarshallOptions: { ...translateConfig?.unmarshallOptions },
  };
}

/** Made where the user gives no client. */
export function ownClient(): DynamoDBClient {
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
export function isolated(given: DynamoDBClient): DynamoDBClient {
  const config = { ...given.config, cacheMiddleware: false };
  return Object.create(given, { config: { value: config } }) as DynamoDBClient;
}
