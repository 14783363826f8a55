import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import {
  type GuardedContext,
  type IdempotencyHandle,
  idempotency,
  idempotent,
  idempotentTransaction,
  type RecordStore,
} from '../../src/index.ts';
import type { TransactionItem } from '../../src/stores/dynamodb.ts';
import { createContext } from '../../tools/context.ts';
import type { Order, Tables } from './terms.ts';
import type { World } from './world.ts';

/** What a guard is made of. */
export interface Surroundings {
  readonly store: RecordStore<TransactionItem>;
  readonly client: DynamoDBClient;
  readonly tables: Tables;
  readonly world: World;
  readonly waitMillis: number;
  /** What `prepare` has answered. */
  readonly prepared: string;
}

export interface Guarded {
  /** The call that a process is killed in. */
  pay(order: Order): Promise<unknown>;
  /** What must have happened before. @default the same call */
  prepare?(order: Order): Promise<unknown>;
}

export type Handle = IdempotencyHandle<TransactionItem>;
type Work = (order: Order, handle: Handle) => Promise<unknown>;

/** The record's lease follows it. */
export const INVOCATION = { functionName: 'payments', timeoutMillis: 60_000 };

export function asFunction({ store }: Pick<Surroundings, 'store'>, work: Work, options: object = {}): Guarded {
  const common = { store, operation: 'pay', key: (order: Order) => order.id };
  return { pay: idempotent(work, { ...common, passHandle: true, ...options }) };
}

export function inMiddy({ store }: Pick<Surroundings, 'store'>, work: Work): Guarded {
  const handler = middy<Order, unknown, Error, GuardedContext<TransactionItem>>()
    .use(idempotency<Order, TransactionItem>({ store, operation: 'pay', key: 'id' }))
    .handler(async (order, context) => work(order, context.idempotency));
  return { pay: (order) => handler(order, createContext('request', INVOCATION) as never) };
}

/** Without a claim. `reads`: its plan looks first whether the deposit is there, and throws then. */
export function asTransaction(s: Surroundings, { reads = false } = {}): Guarded {
  const plan = async (_: object, { id }: Order) => {
    const get = new GetCommand({ TableName: s.tables.accounts, Key: { id }, ConsistentRead: true });
    if (reads && (await DynamoDBDocumentClient.from(s.client).send(get)).Item) throw new Error('deposited already');
    return { items: [deposit(s, id)], response: { id } };
  };
  return { pay: idempotentTransaction(plan, { store: s.store, operation: 'pay', key: 'id' }) };
}

/** One effect, and nothing else. */
export function onlyCharge({ world }: Surroundings): Work {
  return async () => ({ charge: await world.happen('charge') });
}

/** Adds to a balance, and would add again. */
export function deposit({ tables }: Surroundings, id: string): TransactionItem {
  return {
    Update: {
      TableName: tables.accounts,
      Key: { id },
      UpdateExpression: 'ADD balance :one',
      ExpressionAttributeValues: { ':one': 1 },
    },
  };
}
