import { beforeEach } from 'vitest';
import type { DynamoDBRequest, FaultProxy } from '../fault-proxy.ts';

export type { DynamoDBRequest, FaultProxy };

/** The proxies that tests have made, by their endpoint. */
export const proxies = new Map<string, FaultProxy>();

/** `test/support/fault-proxy.ts` without DynamoDB: the same faults, between the guard and a table in memory. */
export function useFaultProxy(): FaultProxy {
  const proxy: FaultProxy = {
    endpoint: `memory:${proxies.size}`,
    decide: () => 'pass',
    seen: [],
    reset() {
      proxy.decide = () => 'pass';
      proxy.seen.length = 0;
    },
  };
  beforeEach(() => proxy.reset());
  proxies.set(proxy.endpoint, proxy);
  return proxy;
}
