import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { RecordStore } from '../../src/index.ts';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { postgresSchema, postgresStore } from '../../src/stores/postgres.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import type { Stop } from '../../tools/command.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { startPostgres } from '../../tools/postgres.ts';
import { startRedis } from '../../tools/redis.ts';
import { createTable } from '../../tools/tables.ts';

export const STORES = ['dynamodb', 'postgres', 'redis'] as const;
export type StoreName = (typeof STORES)[number];

interface Started {
  readonly store: RecordStore;
  /** Closes its connections. */
  close(): Promise<unknown>;
}

const MAX_SOCKETS = 100;
/** A request waits for a socket, too, when a thousand are sent at once. */
const REQUEST_TIMEOUT_MILLIS = 20_000;
const TABLE_NAME = `load-${process.pid}`;

/** A store on a server of its own. */
export const START: Readonly<Record<StoreName, (stops: Stop[]) => Promise<Started>>> = {
  async dynamodb(stops) {
    const { endpoint, stop } = await startDynamoDBLocal();
    stops.push(stop);
    const client = new DynamoDBClient({
      endpoint,
      ...LOCAL_ACCESS,
      requestHandler: {
        requestTimeout: REQUEST_TIMEOUT_MILLIS,
        httpAgent: { maxSockets: MAX_SOCKETS },
        socketAcquisitionWarningTimeout: REQUEST_TIMEOUT_MILLIS,
      },
    });
    await createTable(client, { tableName: TABLE_NAME, partitionKey: 'id', ttlAttribute: 'expiration' });
    return { store: dynamoDBStore({ tableName: TABLE_NAME, client }), close: async () => client.destroy() };
  },
  async postgres(stops) {
    const { url, stop } = await startPostgres();
    stops.push(stop);
    const client = new pg.Pool({ connectionString: url, max: MAX_SOCKETS });
    // The server may be faster to end a connection than its client.
    client.on('error', () => undefined);
    await client.query(postgresSchema({ tableName: TABLE_NAME }));
    return {
      store: postgresStore({ client, tableName: TABLE_NAME }) as RecordStore,
      close: () => client.end(),
    };
  },
  async redis(stops) {
    const { url, stop } = await startRedis();
    stops.push(stop);
    const client = new Redis(url);
    return { store: redisStore({ client }), close: () => client.quit() };
  },
};
