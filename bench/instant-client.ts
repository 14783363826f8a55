import { type AttributeValue, ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LOCAL_ACCESS } from '../tools/clients.ts';

export type Item = Record<string, AttributeValue>;

const UTF8 = new TextDecoder();

const CONFIG = {
  ...LOCAL_ACCESS,
  endpoint: 'http://127.0.0.1:1',
  maxAttempts: 1,
} as const;

/** What every request is answered with: that it was done, or that this item was in its way. */
export type Answer = { readonly existing?: Item };

/** A real client, whose request handler answers at once: all of the SDK's work is done, none of the network's. */
export function instantClient(answer: Answer = {}, onRequest: (request: WireRequest) => void = () => undefined) {
  const { statusCode, body } = written(answer);
  return new DynamoDBClient({
    ...CONFIG,
    requestHandler: {
      async handle(request: unknown) {
        onRequest(request as WireRequest);
        return { response: { statusCode, headers: { 'content-type': 'application/x-amz-json-1.0' }, body } };
      },
    } as never,
  });
}

export interface WireRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** As DynamoDB sends it. */
export function written({ existing }: Answer): { statusCode: number; body: Buffer } {
  const answer =
    existing === undefined
      ? {}
      : {
          __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
          message: 'The conditional request failed',
          Item: existing,
        };
  const json = JSON.stringify(answer, (name, value) => (name === 'Item' ? onWire(value) : value));
  return { statusCode: existing === undefined ? 200 : 400, body: Buffer.from(json) };
}

/** Bytes in base64. */
export function onWire(item: Item): unknown {
  return mapped(item, (value) => (value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') }));
}

function mapped(item: Item, change: (value: AttributeValue) => unknown): unknown {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, change(value)]));
}

/**
 * Has every client of this process answer at once in `send`, until the function that it returns is called: nothing of the SDK's
 * own work is done, its marshalling of documents included. The peer marshals by itself.
 */
export function useInstantSend({ existing }: Answer): () => void {
  const $metadata = { httpStatusCode: existing === undefined ? 200 : 400 };
  const send = async () => {
    if (existing === undefined) return { $metadata };
    throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata, Item: existing });
  };
  const classes = [DynamoDBClient, DynamoDBDocumentClient];
  for (const { prototype } of classes) Object.defineProperty(prototype, 'send', { value: send, configurable: true });
  return () => {
    // Of their base class again.
    for (const { prototype } of classes) Reflect.deleteProperty(prototype, 'send');
  };
}

/** What the table holds under a key after each write of `call`: its puts and updates, applied. */
export async function recordedItems(call: (client: DynamoDBClient) => Promise<unknown>): Promise<Item[]> {
  const items: Item[] = [];
  const client = instantClient({}, ({ headers, body }) => {
    const request: WriteRequest = JSON.parse(typeof body === 'string' ? body : UTF8.decode(body));
    const item = applied(items.at(-1) ?? {}, headers['x-amz-target'] ?? '', request);
    items.push(mapped(item, decodedBytes) as Item);
  });
  await call(client);
  return items;
}

interface WriteRequest {
  readonly Item?: Item;
  readonly UpdateExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
}

function applied(item: Item, target: string, request: WriteRequest): Item {
  if (target.endsWith('.PutItem')) return request.Item ?? {};
  if (!target.endsWith('.UpdateItem')) throw new Error(`${target} is not expected here`);
  const {
    UpdateExpression = '',
    ExpressionAttributeNames: names = {},
    ExpressionAttributeValues: values = {},
  } = request;
  const changed: Item = { ...item };
  for (const [, name = '', value = ''] of UpdateExpression.matchAll(/(#\w+) = (:\w+)/g)) {
    const attribute = values[value];
    if (attribute !== undefined) changed[names[name] ?? ''] = attribute;
  }
  return changed;
}

/** Bytes are base64 on the wire. */
function decodedBytes(value: AttributeValue): unknown {
  const bytes: unknown = value.B;
  return typeof bytes === 'string' ? { B: Buffer.from(bytes, 'base64') } : value;
}
