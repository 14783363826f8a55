import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type IdempotencyHandle, idempotent, idempotentTransaction, type RecordStore } from '../src/index.ts';
import { dynamoDBStore } from '../src/stores/dynamodb.ts';
import { idempotentTransaction as inOneTransaction, postgresSchema, postgresStore } from '../src/stores/postgres.ts';
import { redisStore } from '../src/stores/redis.ts';
import { LOCAL_ACCESS } from '../tools/clients.ts';
import { runCommand, type SettingsOf, type Stop } from '../tools/command.ts';
import { startDynamoDBLocal } from '../tools/dynamodb-local.ts';
import { whole } from '../tools/options.ts';
import { startPostgres } from '../tools/postgres.ts';
import { startRedis } from '../tools/redis.ts';
import { createTable } from '../tools/tables.ts';
import { thisMachine } from './machine.ts';
import { alternate, elapsedMillis, quantile } from './rounds.ts';

const OPTIONS = { calls: whole('How many calls of each kind.', { from: 10, or: 500 }) };
/** DynamoDB Local takes its first hundreds of requests ten times as long. */
const WARM_UP = 400;
const TABLE_NAME = `bench-${process.pid}`;

interface Side {
  readonly store: RecordStore<never>;
  /** How many requests, or statements, its client has sent. */
  requests(): number;
  /** An effect of the handler, as an item of `transact`. Absent where there are no transactions. */
  item?(id: string): unknown;
  /** Its `idempotentTransaction`, with the same effect. */
  transaction?(id: string): Promise<unknown>;
}

type Call = (id: string) => Promise<unknown>;

async function dynamoDB(stops: Stop[]): Promise<Side> {
  const { endpoint, stop } = await startDynamoDBLocal();
  stops.push(stop);
  const client = new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
  stops.push(async () => client.destroy());
  await createTable(client, { tableName: TABLE_NAME, partitionKey: 'id', ttlAttribute: 'expiration' });
  await createTable(client, { tableName: `${TABLE_NAME}-effects`, partitionKey: 'id' });
  let requests = 0;
  const counting = (next: (args: never) => Promise<never>) => (args: never) => {
    requests++;
    return next(args);
  };
  client.middlewareStack.add(counting as never, { step: 'build' });
  const store = dynamoDBStore({ client, tableName: TABLE_NAME });
  const item = (id: string) => ({ Put: { TableName: `${TABLE_NAME}-effects`, Item: { id } } });
  const plan = (_: unknown, id: string) => ({ items: [item(id)], response: 'done' });
  const transaction = idempotentTransaction(plan, { store, operation: 'one', key: (id) => id });
  return { store: store as RecordStore<never>, requests: () => requests, item, transaction: transaction as Call };
}

async function postgres(stops: Stop[]): Promise<Side> {
  const { url, stop } = await startPostgres(['fsync=on']);
  stops.push(stop);
  let requests = 0;
  class CountingClient extends pg.Client {
    override query(...args: unknown[]): never {
      requests++;
      return Reflect.apply(super.query, this, args) as never;
    }
  }
  const client = new pg.Pool({ connectionString: url, max: 2, Client: CountingClient as never });
  client.on('error', () => undefined);
  stops.push(() => client.end());
  await client.query(postgresSchema());
  await client.query('create table effects (id text primary key)');
  const item = (id: string) => (tx: pg.PoolClient) => tx.query('insert into effects values ($1)', [id]);
  const store = postgresStore({ client });
  const work = async (tx: pg.PoolClient, _: unknown, id: string) => {
    await item(id)(tx);
    return 'done';
  };
  const transaction = inOneTransaction(work, { store, operation: 'one', key: (id: string) => id });
  return { store: store as RecordStore<never>, requests: () => requests, item, transaction: transaction as Call };
}

async function redis(stops: Stop[]): Promise<Side> {
  const { url, stop } = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  stops.push(stop);
  let requests = 0;
  class CountingClient extends Redis {
    override sendCommand(...args: unknown[]): never {
      requests++;
      return Reflect.apply(super.sendCommand, this, args) as never;
    }
  }
  const client = new CountingClient(url);
  stops.push(() => client.quit());
  return { store: redisStore({ client }), requests: () => requests };
}

/** By what is measured. A call of each is made once before it, where it needs one. */
function callsOf({ store, item, transaction }: Side): Readonly<Record<string, { before?: Call; call: Call }>> {
  const common = { key: (id: string) => id, warnings: false } as const;
  const guarded = (operation: string, work: Call) => idempotent(work, { ...common, store, operation }) as Call;
  const replay = guarded('replay', async () => 'done');
  let fails = false;
  const takeover = guarded('takeover', async () => {
    if (fails) throw new Error('failed');
    return 'done';
  });
  const failing = async (id: string) => {
    fails = true;
    await takeover(id).catch(() => undefined);
    fails = false;
  };
  const work = async (id: string, { transact }: IdempotencyHandle) => {
    await transact([item?.(id)] as never, 'done');
    return 'done';
  };
  const transact = idempotent(work, { ...common, store, operation: 'transact', passHandle: true } as never);
  return {
    'first call': { call: guarded('first', async () => 'done') },
    replay: { before: replay, call: replay },
    'takeover after a release': { before: failing, call: takeover },
    ...(item && { 'first call with transact': { call: ((id) => transact(`effect ${id}` as never)) as Call } }),
    ...(transaction && { idempotentTransaction: { call: transaction } }),
  };
}

async function run({ calls }: SettingsOf<typeof OPTIONS>, stops: Stop[]): Promise<boolean> {
  const sides = {
    'DynamoDB Local': await dynamoDB(stops),
    'PostgreSQL 18': await postgres(stops),
    Redis: await redis(stops),
  };
  const byStore = Object.entries(sides).map(([name, side]) => ({ name, side, all: callsOf(side) }));
  const lines: string[] = [];
  for (const what of Object.keys(callsOf(sides['PostgreSQL 18']))) {
    console.error(what);
    const able = byStore.filter(({ all }) => what in all);
    const sent = new Map<string, number>();
    const rounds = Object.fromEntries(
      able.map(({ name, side, all: { [what]: { before, call } = { call: async () => undefined } } }) => {
        const round = async (n: number) => {
          await before?.(`${n}`);
          const already = side.requests();
          const millis = await elapsedMillis(() => call(`${n}`));
          if (n > 0) sent.set(name, (sent.get(name) ?? 0) + side.requests() - already);
          return millis;
        };
        return [name, round];
      }),
    );
    const warm = Object.entries(rounds).map(([name, round]) => [name, (n: number) => round(-n - 1)] as const);
    await alternate(WARM_UP, Object.fromEntries(warm));
    const measured = await alternate(calls, rounds);
    const cells = byStore.map(({ name }) => {
      const millis = measured[name];
      if (millis === undefined) return '';
      const [p50, p95] = [quantile(millis, 0.5), quantile(millis, 0.95)].map((value) => value.toFixed(2));
      return `${p50} ms, ${p95} ms, ${((sent.get(name) ?? 0) / (calls - 1)).toFixed(0)}`;
    });
    lines.push(`| ${what} | ${cells.join(' | ')} |`);
  }
  const { date, cpu, node } = thisMachine();
  console.log(`| p50, p95, requests | ${byStore.map(({ name }) => name).join(' | ')} |\n|---|---|---|---|`);
  console.log(`${lines.join('\n')}\n\n${date}, ${cpu}, Node ${node}`);
  return true;
}

await runCommand({
  name: 'bench:stores',
  about: `
    A first call, a replay, a takeover and a transaction on DynamoDB Local, PostgreSQL and Redis, in alternating rounds on one
    machine: the median, the time that 95 % are below, and the requests of a call. PostgreSQL and Redis write to the disk before
    they confirm. Ctrl-C ends everything.`,
  options: OPTIONS,
  run,
});
