import { createHash, webcrypto } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { RecordStore } from '../../src/core/record/store.ts';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { currentCall } from './current-call.ts';
import { idIn, type WireAnswer, type WireRequest } from './item-table.ts';
import { paddingCodec } from './padding.ts';

/**
 * `dynamoDBStore` itself, over the SDK's own client, of which only the connection is simulated: what it sends is answered by
 * the table of the schedule that is running. The client is one for all schedules: it keeps nothing of a request.
 */
export function wireStore(): RecordStore<object> {
  client ??= simulatedClient();
  return dynamoDBStore({ tableName: 'records', client, codec: paddingCodec }) as RecordStore<object>;
}

let client: DynamoDBClient | undefined;

function simulatedClient(): DynamoDBClient {
  digestAtOnce();
  return new DynamoDBClient({
    endpoint: 'http://simulated',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    signer: { sign: async <T>(request: T) => request },
    // What it would send again, the schedule does.
    maxAttempts: 1,
    requestHandler: { handle: async (request: HttpRequest) => ({ response: await answer(request) }) },
  });
}

interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

async function answer({ headers, body }: HttpRequest): Promise<object> {
  const [, operation = ''] = String(headers['x-amz-target']).split('.');
  const request = JSON.parse(new TextDecoder().decode(body)) as WireRequest;
  const { status, body: answered } = await ask(operation, request);
  return {
    statusCode: status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: Buffer.from(JSON.stringify(answered)),
  };
}

async function ask(operation: string, request: WireRequest): Promise<WireAnswer> {
  const world = currentCall.getStore()?.world;
  if (world?.items === undefined) return { status: 200, body: {} };
  const { items, network } = world;
  return network.ask({
    verb: verbOf(operation, request),
    id: idIn(request),
    apply: () => items.answer(operation, request),
    failure: (why, sent) =>
      Object.assign(new Error('simulated'), {
        name: why === 'no answer' ? 'TimeoutError' : 'AccessDeniedException',
        // As if the SDK had sent it again.
        $metadata: why === 'no answer' ? {} : { httpStatusCode: 400, attempts: sent },
      }),
  });
}

/** As docs/reference/record.md has it: `<record id>#<digest>#<number>`. */
const PART_ID = /#.*#\d+$/;

function verbOf(operation: string, { Item, Key, ConditionExpression = '' }: WireRequest): string {
  switch (operation) {
    case 'PutItem':
      if (Item?.['status'] === undefined) return 'put a part';
      return ConditionExpression.includes('not_exists') ? 'insert' : `replace by ${Item['status'].S}`;
    case 'DeleteItem':
      return 'remove';
    case 'GetItem':
      return PART_ID.test(String(Key?.['id']?.S)) ? 'read a part' : 'read';
    default:
      return 'transact';
  }
}

/** Node makes digests in its thread pool, where they end when they want to: no seed would repeat that. */
function digestAtOnce(): void {
  webcrypto.subtle.digest = async (_algorithm, bytes) => {
    const digest = createHash('sha256')
      .update(bytes as Uint8Array)
      .digest();
    return digest.buffer.slice(digest.byteOffset, digest.byteOffset + digest.length) as ArrayBuffer;
  };
}

/** The SDK reads files for its configuration, once: that would take turns of Node that no schedule waits for. */
export function warmUp(): Promise<unknown> {
  warm ??= wireStore().read('nothing');
  return warm;
}

let warm: Promise<unknown> | undefined;
