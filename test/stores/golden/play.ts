import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import { IdempotencyError } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createIdempotent } from '../../../src/function.ts';
import { createHttpIdempotency } from '../../../src/http/index.ts';
import type { FaultProxy } from '../../support/fault-proxy.ts';
import { lambdaContext, TestClock } from '../../support/harness.ts';
import { SHAPES } from '../../support/http-events.ts';
import { compact, expanded } from './comparable.ts';
import { type Handle, type Host, next, type Scenario, type Work } from './scenarios.ts';

/** The schema of the table whose attributes have other names. */
export const RENAMED = { partitionKey: 'pk', sortKey: 'sk', ttlAttribute: 'ttl' };
const RENAMED_STORE = {
  sortKey: { name: 'sk', value: 'idempotency' },
  attributes: {
    ...{ id: 'pk', status: 'state', owner: 'holder', attempt: 'count', leaseUntil: 'lease', expiration: 'ttl' },
    ...{ fingerprint: 'print', outcome: 'result', encoding: 'format', parts: 'pieces', digest: 'sum' },
    ...{ checkpoints: 'done', revision: 'open' },
  },
};

/** What came of a scenario. Its bytes are as `compact` has them. */
export interface Golden {
  /** What was sent to DynamoDB, in its order. */
  readonly requests: readonly Request[];
  /** What was in the table then. */
  readonly items: readonly Item[];
  /** What the store read there. */
  readonly record: object | undefined;
  /** What the clock said then, epoch milliseconds. */
  readonly at: number;
  readonly next: Next;
}

export type Item = Readonly<Record<string, AttributeValue>>;

/** What became of the next request with the same key. */
export interface Next {
  readonly requests: readonly Request[];
  readonly answer: unknown;
}

export interface Request {
  readonly operation: string;
  readonly input: object;
}

export interface Tables {
  readonly client: DynamoDBClient;
  /** Between the guards and DynamoDB. */
  readonly through: DynamoDBClient;
  readonly proxy: FaultProxy;
  readonly tableName: string;
  readonly effects: string;
}

/** The tokens of the next request begin here, so that they differ from those of the first one. */
const NEXT_TOKENS = 100;

/** Where a scenario is played. */
export class Stage {
  readonly clock = new TestClock();
  readonly #scenario: Scenario;
  readonly #tables: Tables;
  readonly #prefix: string;
  #tokens = 0;

  /** DynamoDB knows the token of a transaction again for ten minutes: `tokens` makes those of a run its own. */
  constructor(scenario: Scenario, tables: Tables, tokens = 'token') {
    this.#scenario = scenario;
    this.#tables = tables;
    this.#prefix = tokens;
    this.clock.randomToken = () => `${this.#prefix}-${++this.#tokens}-of-a-golden-request`;
  }

  /** The scenario, in an empty table, and the next request. */
  async play(): Promise<Golden> {
    await this.forget();
    const requests = await this.#requestsOf(() => this.#scenario.run(this.host()));
    const items = await this.#items();
    return { requests, items, record: await this.read(items), at: this.clock.now(), next: await this.playNext() };
  }

  /** Only the next request: the items are there already, and the clock says `at`. */
  async playAfter({ items, at }: Golden): Promise<Next> {
    await this.putItems(items);
    this.clock.advance(at - this.clock.now());
    return this.playNext();
  }

  async putItems(items: readonly Item[]): Promise<void> {
    await this.forget();
    const { client, tableName: TableName } = this.#tables;
    for (const item of items) await client.send(new PutItemCommand({ TableName, Item: expanded(item) as Item }));
  }

  /** Sends what was recorded. @returns the name of DynamoDB's error, where it was refused */
  async send({ operation, input }: Request): Promise<string | undefined> {
    if (operation !== 'PutItem') throw new Error(`${operation} is not sent again`);
    const { client, tableName: TableName } = this.#tables;
    const put = new PutItemCommand({ ...(expanded(input) as PutItemCommandInput), TableName });
    return client.send(put).then(
      () => undefined,
      ({ name }: Error) => name,
    );
  }

  /** What the store reads of a record. Its checkpoints are what the next request gets for its steps. */
  async read(items: readonly Item[]): Promise<object | undefined> {
    const record = items.find((item) => item['owner'] !== undefined || item['holder'] !== undefined);
    if (record === undefined) return undefined;
    const read = await this.#store().read(idOf(record));
    const fields = Object.entries(read ?? {}).filter(([name]) => CONTRACT.includes(name));
    return JSON.parse(this.#named(JSON.stringify(Object.fromEntries(fields))));
  }

  host(): Host {
    const { proxy, effects } = this.#tables;
    const call = this.#scenario.http ? this.#request : this.#call;
    return {
      effects,
      call,
      die: (work, options) =>
        new Promise((resolve, reject) => {
          const dies: Work = async (handle) => {
            await work(handle);
            resolve();
            return new Promise(() => undefined);
          };
          call(dies, options).catch(reject);
        }),
      advance: (millis) => this.clock.advance(millis),
      loseAnswers(count) {
        let left = count;
        proxy.decide = () => (left-- > 0 ? 'lose answer' : 'pass');
      },
      forget: () => this.forget(),
    };
  }

  readonly #call = (work: Work, options: object = {}): Promise<unknown> => {
    const common = { store: this.#store(), operation: 'golden', key: 'id', leaseMillis: 60_000, passHandle: true };
    const guarded = (_: object, handle: Handle) => work(handle);
    const run = createIdempotent(guarded as never, { ...common, ...options } as never, this.clock) as unknown as (
      event: object,
    ) => Promise<unknown>;
    return run({ id: this.#scenario.name, amount: 10 });
  };

  readonly #request = (work: Work): Promise<unknown> => {
    const options = { store: this.#store(), operation: 'golden', scope: 'anonymous' } as const;
    const lambda = middy()
      .use(createHttpIdempotency(options, this.clock) as middy.MiddlewareObj)
      .handler((async (_: unknown, context: { idempotency: Handle }) => work(context.idempotency)) as never);
    const headers = [['idempotency-key', `"${this.#scenario.name}"`]] as const;
    const event = SHAPES[1]?.event({ headers, body: '{"amount":10}' });
    return lambda(event as never, lambdaContext(this.clock)) as Promise<unknown>;
  };

  async playNext(): Promise<Next> {
    const { nextAfterMillis = 0, nextOptions = {} } = this.#scenario;
    this.clock.advance(nextAfterMillis);
    this.#tokens = NEXT_TOKENS;
    let answer: unknown;
    const requests = await this.#requestsOf(async () => {
      answer = await this.host()
        .call(next, nextOptions)
        .then(
          (returned) => (isProblem(returned) ? { problem: returned.statusCode } : { returned }),
          (thrown: unknown) => ({ threw: described(thrown) }),
        );
    });
    return { requests, answer };
  }

  #store() {
    const { codec, renamed } = this.#scenario;
    const { tableName, through: client } = this.#tables;
    return dynamoDBStore({ tableName, client, ...(codec && { codec }), ...(renamed && RENAMED_STORE) });
  }

  async #requestsOf(run: () => Promise<unknown>): Promise<Request[]> {
    const { proxy, tableName, effects } = this.#tables;
    proxy.reset();
    await run();
    return proxy.seen.map(({ operation, body }) => {
      const named = this.#named(body).replaceAll(tableName, 'records').replaceAll(effects, 'effects');
      return { operation, input: compact(JSON.parse(named)) as object };
    });
  }

  #named(text: string): string {
    return text.replaceAll(`${this.#prefix}-`, 'token-');
  }

  async #items(): Promise<Item[]> {
    const { client, tableName: TableName } = this.#tables;
    const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
    const sorted = Items.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
    return JSON.parse(this.#named(JSON.stringify(compact(sorted))));
  }

  /** Empties the table. */
  async forget(): Promise<void> {
    const { client, tableName: TableName } = this.#tables;
    for (const { id, pk, sk } of await this.#items()) {
      const Key = this.#scenario.renamed ? { pk, sk } : { id };
      await client.send(new DeleteItemCommand({ TableName, Key: Key as Item }));
    }
  }
}

const CONTRACT = ['id', 'status', 'owner', 'attempt', 'expiration', 'fingerprint', 'leaseUntil', 'outcome'];

function idOf({ id, pk }: Item): string {
  return (id ?? pk)?.S ?? '';
}

function isProblem(answer: unknown): answer is { readonly statusCode: number } {
  return JSON.stringify(answer)?.includes('application/problem+json') ?? false;
}

/** What a caller may branch on. */
function described(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, cause: _, stack: __, advice: ___, ...others } = thrown as Error & { advice?: string };
  return thrown instanceof IdempotencyError ? { name: 'IdempotencyError', ...others } : { name, message, ...others };
}
