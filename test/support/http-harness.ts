import middy7 from '@middy/core';
import type { IdempotencyEvent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import type { HttpIdempotencyOptions } from 'middy-idempotency/http';
import { createHttpIdempotency } from '../../src/http/index.ts';
import { elsewhere, lambdaContext, TestClock, useEvents } from './harness.ts';
import { SHAPES, type TestRequest, type TestResponse } from './http-events.ts';
import { useTable } from './table.ts';

export type Shape = (typeof SHAPES)[number];

type Handler = (event: Record<string, unknown>, context: { idempotency?: { id: string } }) => unknown;

export interface ApiSetup {
  readonly shape?: Shape;
  readonly middy?: typeof middy7;
  readonly handler: Handler;
  readonly options?: Partial<HttpIdempotencyOptions>;
  readonly behind?: readonly object[];
  readonly inFront?: readonly object[];
}

/** An API behind a gateway: a table, a clock, and functions that are called by requests and answer with responses. */
export function useApi() {
  const table = useTable();
  const clock = new TestClock();
  const events = useEvents();
  return {
    table,
    clock,
    events,
    eventTypes: () => events.map(({ type }) => type),
    api({ shape = SHAPES[1] as Shape, middy = middy7, handler, options, behind = [], inFront = [] }: ApiSetup) {
      const middleware = createHttpIdempotency(
        {
          store: dynamoDBStore(table),
          operation: 'test',
          scope: 'anonymous',
          onEvent: (event: IdempotencyEvent) => void events.push(event),
          warnings: false,
          ...options,
        } as never,
        clock,
      );
      const chain = middy();
      for (const one of [...inFront, middleware, ...behind]) chain.use(one as never);
      const lambda = chain.handler(handler as never);
      return (request: TestRequest): Promise<TestResponse> => {
        const event = shape.event(request) as never;
        const answer: Promise<unknown> = elsewhere(() => lambda(event, lambdaContext(clock) as never));
        const running = answer.then((response) => shape.read(response));
        // An invocation that a test has let crash is timed out by Middy long after the test.
        running.catch(() => undefined);
        return running;
      };
    },
  };
}
