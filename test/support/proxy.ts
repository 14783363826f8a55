import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenHere } from '../../tools/loopback.ts';

/** What becomes of one request to DynamoDB. */
export type Fault =
  | 'pass'
  /** DynamoDB applies it, and its answer is lost on the way. */
  | 'lose answer'
  /** DynamoDB says that there are too many. Nothing is applied. */
  | 'throttle'
  /** DynamoDB says that the write, or the transaction at its first item, met another transaction. Nothing is applied. */
  | 'conflict'
  /** DynamoDB fails with a 500. Nothing is applied. */
  | 'fail'
  /** DynamoDB says that the credentials are no longer valid. Nothing is applied. */
  | 'expire token'
  /** An intermediary answers with a 403 and a page of HTML. Nothing is applied. */
  | 'block'
  /** DynamoDB says that another replica of a global table is writing the item. Nothing is applied. */
  | 'replica conflict'
  /** DynamoDB applies it, and says that it has failed with a 500. */
  | 'fail after applying'
  /** Nothing is applied, the connection is closed. */
  | 'drop'
  /** Nothing is applied, nothing is answered. */
  | 'hang'
  /** Applied only after this time, even if nobody waits any more. */
  | { readonly delayMillis: number }
  /** Applied at once, answered only after this time. */
  | { readonly delayAnswerMillis: number }
  /** Applied, answered, and applied once more after this time. */
  | { readonly repeatAfterMillis: number };

interface Delays {
  readonly delayMillis?: number;
  readonly delayAnswerMillis?: number;
  readonly repeatAfterMillis?: number;
}

export interface DynamoDBRequest {
  /** `PutItem`, `DeleteItem`, `GetItem`, `TransactWriteItems` */
  readonly operation: string;
  readonly headers: IncomingHttpHeaders;
  /** The request's JSON text. */
  readonly body: string;
}

/** What DynamoDB itself has answered, whatever the client gets to see of it. */
export interface DynamoDBAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One copy of a request, on its way to DynamoDB. */
export interface Copy {
  readonly request: DynamoDBRequest;
  /** @throws Error when DynamoDB cannot be reached, or breaks off: the copy may have been applied then */
  send(): Promise<DynamoDBAnswer>;
  /** Whether its client still waits for its answer. */
  isAwaited(): boolean;
}

export interface ProxyOptions {
  /** Where DynamoDB is: `http://127.0.0.1:<port>` */
  upstream(): string;
  /** Decides about each request, in the order of arrival. */
  decide(request: DynamoDBRequest): Fault;
  /** Sends each copy on, and may watch what becomes of it. @default it is sent */
  deliver?(copy: Copy): Promise<DynamoDBAnswer>;
}

export interface RunningProxy {
  readonly endpoint: string;
  /** Ends the connections, too. */
  close(): Promise<void>;
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.0' };
const THROTTLED = {
  __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException',
  message: 'The level of configured provisioned throughput for the table was exceeded.',
};
const CONFLICT = {
  __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
  Message: 'Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]',
  CancellationReasons: [
    { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' },
    { Code: 'None' },
  ],
};
const ITEM_CONFLICT = {
  __type: 'com.amazonaws.dynamodb.v20120810#TransactionConflictException',
  message: 'Transaction is ongoing for the item',
};
const FAILED = {
  __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError',
  message: 'The request processing has failed because of an unknown error, exception or failure.',
};

const EXPIRED = {
  __type: 'com.amazon.coral.service#ExpiredTokenException',
  message: 'The security token included in the request is expired',
};
const REPLICA_CONFLICT = {
  __type: 'com.amazonaws.dynamodb.v20120810#ReplicatedWriteConflictException',
  message: 'One or more items in this request are being modified by a request in another Region.',
};

/** A real proxy in front of DynamoDB Local, so that the real SDK meets real faults. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    // The client may be gone before its request was read or answered.
    outgoing.on('error', () => undefined);
    handle(options, agent, incoming, outgoing).catch(() => outgoing.destroy());
  });
  return {
    endpoint: await listenHere(server),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

async function handle(
  { upstream, decide, deliver = ({ send }) => send() }: ProxyOptions,
  agent: Agent,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  let isGone = false;
  outgoing.on('close', () => {
    isGone = true;
  });
  const body = await text(incoming);
  const [, operation = ''] = String(incoming.headers['x-amz-target']).split('.');
  const seen = { operation, headers: incoming.headers, body };
  const fault = decide(seen);
  switch (fault) {
    case 'hang':
      return;
    case 'drop':
      return void outgoing.destroy();
    case 'throttle':
      return void outgoing.writeHead(400, JSON_TYPE).end(JSON.stringify(THROTTLED));
    case 'conflict':
      return void outgoing
        .writeHead(400, JSON_TYPE)
        .end(JSON.stringify(operation === 'TransactWriteItems' ? CONFLICT : ITEM_CONFLICT));
    case 'expire token':
      return void outgoing.writeHead(400, JSON_TYPE).end(JSON.stringify(EXPIRED));
    case 'block':
      return void outgoing.writeHead(403, { 'content-type': 'text/html' }).end('<html><body>Forbidden</body></html>');
    case 'replica conflict':
      return void outgoing.writeHead(400, JSON_TYPE).end(JSON.stringify(REPLICA_CONFLICT));
    case 'fail':
      return void outgoing.writeHead(500, JSON_TYPE).end(JSON.stringify(FAILED));
  }
  const { delayMillis, delayAnswerMillis, repeatAfterMillis }: Delays = typeof fault === 'string' ? {} : fault;
  if (delayMillis !== undefined) await sleep(delayMillis);
  const copy = { request: seen, send: () => forward(upstream(), agent, incoming, body), isAwaited: () => !isGone };
  const answer = await deliver(copy);
  if (fault === 'lose answer') return void outgoing.destroy();
  if (fault === 'fail after applying') return void outgoing.writeHead(500, JSON_TYPE).end(JSON.stringify(FAILED));
  if (delayAnswerMillis !== undefined) await sleep(delayAnswerMillis);
  outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  if (repeatAfterMillis !== undefined) {
    await sleep(repeatAfterMillis);
    await deliver({ ...copy, isAwaited: () => false });
  }
}

async function forward(
  upstream: string,
  agent: Agent,
  incoming: IncomingMessage,
  body: string,
): Promise<DynamoDBAnswer> {
  const { connection: _, ...headers } = incoming.headers;
  const outward = request(upstream, { method: 'POST', headers, agent });
  outward.end(body);
  const [answer] = (await once(outward, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await text(answer) };
}
