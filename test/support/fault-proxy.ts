import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { type DynamoDBRequest, type Fault, type RunningProxy, startProxy } from './proxy.ts';

export type { DynamoDBRequest };

export interface FaultProxy {
  readonly endpoint: string;
  /** Decides about each request, in the order of arrival. Everything passes until it is set. */
  decide: (request: DynamoDBRequest) => Fault;
  /** What has arrived since the last `reset`. */
  readonly seen: DynamoDBRequest[];
  reset(): void;
}

/** A proxy of this test file's own, in front of the DynamoDB Local of the whole run; without faults at the begin of each test. */
export function useFaultProxy(): FaultProxy {
  let started: RunningProxy | undefined;
  const proxy: FaultProxy = {
    get endpoint() {
      return started?.endpoint ?? '';
    },
    decide: () => 'pass',
    seen: [],
    reset() {
      proxy.decide = () => 'pass';
      proxy.seen.length = 0;
    },
  };
  beforeAll(async () => {
    started = await startProxy({
      upstream: () => inject('dynamoDBEndpoint'),
      decide(request) {
        proxy.seen.push(request);
        return proxy.decide(request);
      },
    });
  });
  beforeEach(() => proxy.reset());
  afterAll(() => started?.close());
  return proxy;
}
