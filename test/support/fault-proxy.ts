import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, inject } from 'vitest';

/** What becomes of one request to DynamoDB. */
type Fault =
  | 'pass'
  /** DynamoDB applies it, and its answer is lost on the way. */
  | 'lose answer'
  /** DynamoDB says that there are too many. Nothing is applied. */
  | 'throttle'
  /** DynamoDB says that the transaction met another one, at its first item. Nothing is applied. */
  | 'conflict'
  /** Nothing is applied, nothing is answered. */
  | 'hang'
  | { readonly delayMillis: number };

export interface DynamoDBRequest {
  /** `PutItem`, `DeleteItem`, `GetItem`, `TransactWriteItems` */
  readonly operation: string;
  /** The request's JSON text. */
  readonly body: string;
}

export interface FaultProxy {
  readonly endpoint: string;
  /** Decides about each request, in the order of arrival. Everything passes until it is set. */
  decide: (request: DynamoDBRequest) => Fault;
  /** What has arrived since the last `reset`. */
  readonly seen: DynamoDBRequest[];
  reset(): void;
}

/** A real proxy in front of DynamoDB Local, so that the real SDK meets real faults. */
export function useFaultProxy(): FaultProxy {
  let endpoint = '';
  const server = createServer((incoming, outgoing) => {
    void handle(proxy, incoming, outgoing);
  });
  const proxy: FaultProxy = {
    get endpoint() {
      return endpoint;
    },
    decide: () => 'pass',
    seen: [],
    reset() {
      proxy.decide = () => 'pass';
      proxy.seen.length = 0;
    },
  };
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    endpoint = `http://127.0.0.1:${address.port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return proxy;
}

const REFUSALS = {
  throttle: {
    __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
    message: 'The level of configured provisioned throughput for the table was exceeded.',
  },
  conflict: {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
    Message:
      'Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]',
    CancellationReasons: [
      { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' },
      { Code: 'None' },
    ],
  },
};

async function handle(proxy: FaultProxy, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await text(incoming);
  const [, operation = ''] = String(incoming.headers['x-amz-target']).split('.');
  const seen = { operation, body };
  proxy.seen.push(seen);
  const fault = proxy.decide(seen);
  if (fault === 'hang') return;
  if (fault === 'throttle' || fault === 'conflict') {
    outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    outgoing.end(JSON.stringify(REFUSALS[fault]));
    return;
  }
  if (typeof fault === 'object') await new Promise((resolve) => setTimeout(resolve, fault.delayMillis));
  const answer = await forward(incoming, body);
  if (fault === 'lose answer') {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.end(answer.body);
}

async function forward(incoming: IncomingMessage, body: string) {
  const { connection: _, ...headers } = incoming.headers;
  const outward = request(inject('dynamoDBEndpoint'), { method: 'POST', headers });
  outward.end(body);
  const [answer] = (await once(outward, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await text(answer) };
}
