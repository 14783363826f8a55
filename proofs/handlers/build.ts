import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, Context, SQSEvent, SQSRecord } from 'aws-lambda';
import {
  type GuardedContext,
  type IdempotencyHandle,
  idempotency,
  idempotent,
  idempotentTransaction,
  type RecordStore,
} from 'middy-idempotency';
import { sqsBodyKey } from 'middy-idempotency/events';
import { httpIdempotency } from 'middy-idempotency/http';
import { apiGatewayV2Event, sqsEvent } from 'middy-idempotency/testing';
import type { Mistake } from './mistakes.ts';
import type { EffectPlan, Program } from './program.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}
type Handle = IdempotencyHandle<unknown>;

export interface Ports {
  readonly store: RecordStore<unknown>;
  readonly work: Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;
}

/** Fakes that keep nothing. */
export const effects = {
  work: {
    charge: async () => ({ did: 'charge' }),
    mail: async () => ({ did: 'mail' }),
    book: async () => ({ did: 'book' }),
    publish: async () => undefined,
    find: async () => ({ found: true }),
  },
};

const order: Order = { id: '4711', amount: 10 };

export function eventOf({ guard }: Program): never {
  if (guard === 'http') return apiGatewayV2Event({ headers: { 'idempotency-key': '"k-1"' }, body: order }) as never;
  return (guard === 'batch' ? sqsEvent([order, { ...order, id: '4712' }]) : order) as never;
}

/** The program as a handler, with the mistake in it. */
export function build(program: Program, mistake?: Mistake) {
  return ({ store, work }: Ports): ((event: never, context: never) => Promise<unknown>) => {
    const guarded = guard(program, mistake, store, worker(program, mistake, work)) as (
      event: unknown,
      context: unknown,
    ) => Promise<unknown>;
    if (mistake?.kind !== 'an effect in front of the guard') return guarded;
    return async (event: unknown, context: unknown) => {
      await work[mistake.effect]?.(event);
      return guarded(event, context);
    };
  };
}

function guard(program: Program, mistake: Mistake | undefined, store: Ports['store'], run: Worker): unknown {
  const isStored = mistake?.kind === 'a failure that is stored';
  const options = {
    ...program.options,
    store,
    operation: 'work',
    warnings: false,
    ...(isStored && { settle: () => 'store' as const }),
  };
  const isTimed = mistake?.kind === 'a guard whose key is the time';
  const key = isTimed ? (): string => String(Date.now()) : ({ id }: Order) => id;
  const { timeoutEarlyInMillis } = program;
  switch (program.guard) {
    case 'function':
      return idempotent((order: Order, _: Context, handle: Handle) => run(order, handle), {
        ...options,
        key,
        passHandle: true,
      });
    case 'middleware':
      return middy<Order, unknown, Error, GuardedContext<unknown>>({ timeoutEarlyInMillis })
        .use(idempotency<Order, unknown>({ ...options, key, timeoutEarlyInMillis }))
        .handler((event, { idempotency: handle }) => run(event, handle));
    case 'http':
      return middy<APIGatewayProxyEventV2, unknown, Error, GuardedContext<unknown>>({ timeoutEarlyInMillis })
        .use(httpIdempotency({ ...options, scope: 'anonymous', timeoutEarlyInMillis }))
        .handler(async ({ body = '' }, { idempotency: handle }) => run(JSON.parse(body), handle));
    case 'batch': {
      const one = idempotent((record: SQSRecord, _: Context, handle: Handle) => run(JSON.parse(record.body), handle), {
        ...options,
        key: isTimed ? ({ messageId }) => `${messageId} ${Date.now()}` : sqsBodyKey('id'),
        passHandle: true,
      });
      return async ({ Records }: SQSEvent, context: Context) => {
        const done = await Promise.allSettled(Records.map((record) => one(record, context)));
        const failed = Records.filter((_, index) => done[index]?.status === 'rejected');
        return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      };
    }
    case 'transaction':
      return idempotentTransaction<unknown, (context: object, order: Order) => { items: unknown[]; response: unknown }>(
        (_, order) => ({ items: program.effects.map(({ name }) => ({ name, order })), response: order }),
        { store, operation: 'work', warnings: false, key },
      );
  }
}

type Worker = (order: Order, handle: Handle) => Promise<unknown>;

function worker(program: Program, mistake: Mistake | undefined, work: Ports['work']): Worker {
  let counted = 0;
  return async (order, handle) => {
    const response = program.guard === 'http' ? { statusCode: 201, body: JSON.stringify(order) } : order;
    const isLate = (name: string) => mistake?.kind === 'an effect behind the transaction' && mistake.effect === name;
    const isElsewhere = (name: string) =>
      mistake?.kind === 'an effect in front of the guard' && mistake.effect === name;
    for (const effect of program.effects) {
      if (!isLate(effect.name) && !isElsewhere(effect.name)) await happen(effect, order, handle);
    }
    if (program.transacts) await handle.transact([{ put: order }], response);
    for (const effect of program.effects) if (isLate(effect.name)) await call(effect, order, handle);
    return response;
  };

  async function happen(effect: EffectPlan, order: Order, handle: Handle): Promise<unknown> {
    if (mistake?.effect !== effect.name) return shaped(effect, order, handle);
    if (mistake.kind === 'an error that is swallowed') return shaped(effect, order, handle).catch(() => undefined);
    if (mistake.kind !== 'an effect that is not awaited') return shaped(effect, order, handle);
    void call(effect, order, handle).catch(() => undefined);
    return undefined;
  }

  async function shaped(effect: EffectPlan, order: Order, handle: Handle): Promise<unknown> {
    const perform = () => call(effect, order, handle);
    switch (effect.call) {
      case 'plain':
        return perform();
      case 'step':
        return handle.step(effect.name, perform);
      case 'parallel':
        return Promise.all([perform(), work['find']?.(order)]);
      case 'rethrown':
        try {
          return await perform();
        } catch (cause) {
          throw new Error('the effect failed', { cause });
        }
      case 'after a pause':
        await sleep(100);
        return perform();
      case 'after a read':
        await work['find']?.(order);
        return perform();
    }
  }

  async function call({ name, key: shape }: EffectPlan, order: Order, handle: Handle): Promise<unknown> {
    const key = keyOf(name, handle);
    const { [name]: perform = effects.work.find } = work as Record<string, (...args: unknown[]) => Promise<unknown>>;
    switch (shape) {
      case 'argument':
        return perform(order, key);
      case 'option':
        return perform(order, { idempotencyKey: key });
      case 'header':
        return perform('https://api.example.com', {
          method: 'POST',
          headers: { ...(key !== undefined && { 'Idempotency-Key': key }) },
        });
      case 'token':
        return perform({ ClientToken: key, order });
      case 'id':
        return perform({ id: key, order });
    }
  }

  function keyOf(name: string, handle: Handle): string | undefined {
    switch (mistake?.effect === name ? mistake.kind : undefined) {
      case 'no key':
        return undefined;
      case 'a random key':
        return randomUUID();
      case 'a key with the number of the attempt':
        return handle.deriveKey(`${name} ${handle.attempt}`);
      case 'a key that counts':
        return handle.deriveKey(`${name} ${counted++}`);
      default:
        return handle.deriveKey(name);
    }
  }
}
