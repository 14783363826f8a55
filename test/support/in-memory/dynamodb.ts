import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordStore } from '../../../src/core/record/store.ts';
import { IdempotencyError } from '../../../src/errors.ts';
import type { DynamoDBRequest, FaultProxy } from '../fault-proxy.ts';
import { proxies } from './fault-proxy.ts';
import { type Client, tables } from './table.ts';

interface Options {
  readonly tableName: string;
  readonly client?: Client | undefined;
}

/** As the SDK tries by default. */
const MAX_ATTEMPTS = 3;

/** `dynamoDBStore` without DynamoDB: the same contract, in memory, and the faults of a proxy where the client has one. */
export function dynamoDBStore({ tableName, client }: Options): RecordStore {
  const refused = async () => {
    throw unavailable(`There is no table ${tableName}.`, false);
  };
  const store = tables.get(tableName) ?? { insert: refused, replace: refused, remove: refused, read: refused };
  const proxy = proxies.get(client?.endpoint ?? '');
  return proxy === undefined ? store : faulty(store, proxy, client?.maxAttempts ?? MAX_ATTEMPTS);
}

function faulty(store: RecordStore, proxy: FaultProxy, maxAttempts: number): RecordStore {
  async function send<T>(sent: Pick<DynamoDBRequest, 'operation' | 'body'>, verb: () => Promise<T>): Promise<T> {
    const request = { ...sent, headers: {} };
    for (let attempt = 1; ; attempt++) {
      proxy.seen.push(request);
      const fault = proxy.decide(request);
      if (fault === 'hang') return new Promise(() => undefined);
      if (typeof fault === 'object' && 'delayMillis' in fault) await sleep(fault.delayMillis);
      const isThrottled = fault === 'throttle' || fault === 'conflict';
      const answer = isThrottled ? undefined : await verb();
      if (!isThrottled && fault !== 'lose answer') return answer as T;
      if (attempt >= maxAttempts) throw unavailable(`${fault}, ${attempt} times`, true);
    }
  }
  const put = (condition: string, record: object) => ({
    operation: 'PutItem',
    body: `${condition} ${JSON.stringify(record)}`,
  });
  return {
    ...store,
    insert: (record) => send(put('attribute_not_exists(#id)', record), () => store.insert(record)),
    replace(record, expected) {
      const condition = expected.leaseUntil === undefined ? '' : '#leaseUntil = :leaseUntil';
      return send(put(condition, record), () => store.replace(record, expected));
    },
    remove: (id, expected) => send({ operation: 'DeleteItem', body: id }, () => store.remove(id, expected)),
    read: (id) => send({ operation: 'GetItem', body: id }, () => store.read(id)),
  };
}

function unavailable(message: string, retryable: boolean): IdempotencyError {
  return new IdempotencyError('STORE_UNAVAILABLE', message, { retryable });
}
