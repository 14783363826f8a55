import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { Context } from 'aws-lambda';
import { createIdempotent } from '../../src/function.ts';
import { powertoolsRecords } from '../../src/powertools/index.ts';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { type Call, client, type World } from './world.ts';

const TABLE = { tableName: 'idempotency', client };
const KEY = { eventKeyJmesPath: 'key', keyPrefix: 'payments' };

/** One invocation of the code that this call runs on: the real Powertools package, or this one with `migrateFrom`. */
export function invoke(world: World, call: Call): Promise<unknown> {
  const context = { getRemainingTimeInMillis: () => call.deadline - world.now } as Context;
  const handler = (_event: object, _context: Context) => world.work(call);
  return (call.version === 'old' ? oldCode(handler) : newCode(world, call.version, handler))(
    { key: call.key },
    context,
  ) as Promise<unknown>;
}

type Handler = (event: object, context: Context) => Promise<object>;

function oldCode(handler: Handler): Handler {
  const persistenceStore = new DynamoDBPersistenceLayer({ tableName: TABLE.tableName, awsSdkV3Client: client });
  const config = new IdempotencyConfig({ eventKeyJmesPath: KEY.eventKeyJmesPath });
  return makeIdempotent(handler, { persistenceStore, config, keyPrefix: KEY.keyPrefix }) as Handler;
}

function newCode(world: World, mode: 'mirror' | 'readThrough', handler: Handler): Handler {
  const options = {
    store: dynamoDBStore(TABLE),
    key: 'key',
    operation: 'payments',
    warnings: false,
    migrateFrom: powertoolsRecords({ ...TABLE, ...KEY, mode }),
  };
  return createIdempotent(handler, options as never, world.runtime) as Handler;
}
