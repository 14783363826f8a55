import middy7 from '@middy/core';
import type { IdempotencyEvent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import type { HttpIdempotencyOptions } from 'middy-idempotency/http';
import { createRoute } from '../../src/fetch/index.ts';
import { responseFrom } from '../../src/fetch/response.ts';
import { createHttpIdempotency } from '../../src/http/index.ts';
import { elsewhere, lambdaContext, TestClock, useEvents } from './harness.ts';
import { SHAPES, type TestRequest, type TestResponse } from './http-events.ts';
import { useTable } from './table.ts';

export type Shape = (typeof SHAPES)[number];

const [, V2] = SHAPES as readonly [Shape, Shape];

/** Web-standard requests, with `idempotentRoute` as the guard. The handler still gets an event, and answers with format 2.0. */
export const FETCH: Shape = { ...V2, name: 'a web-standard server' };

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
    api({ shape = V2, middy = middy7, handler, options, behind = [], inFront = [] }: ApiSetup) {
      const guard = {
        store: dynamoDBStore(table),
        operation: 'test',
        scope: 'anonymous',
        onEvent: (event: IdempotencyEvent) => void events.push(event),
        warnings: false,
        ...options,
      } as never;
      const chain = middy();
      if (shape !== FETCH) {
        for (const one of [...inFront, createHttpIdempotency(guard, clock), ...behind]) chain.use(one as never);
      }
      const lambda = shape === FETCH ? routeOf(guard, handler) : chain.handler(handler as never);
      return (request: TestRequest): Promise<TestResponse> => {
        const event = shape === FETCH ? request : shape.event(request);
        const answer: Promise<unknown> = elsewhere(() => lambda(event as never, lambdaContext(clock) as never));
        const running = answer.then((response) => shape.read(response));
        // An invocation that a test has let crash is timed out by Middy long after the test.
        running.catch(() => undefined);
        return running;
      };
    },
  };

  function routeOf(guard: never, handler: Handler) {
    const route = createRoute(guard, clock);
    return async (request: TestRequest, context: object): Promise<unknown> => {
      const response = await route(
        webRequest(request),
        async (handle) => {
          const complete = (early: unknown) => handle?.complete(responseFrom(early));
          const idempotency = handle && { ...handle, complete };
          return responseFrom(await handler(V2.event(request), { ...(idempotency && { idempotency }) }));
        },
        context,
      );
      const body = await response.text();
      return { statusCode: response.status, headers: Object.fromEntries(response.headers), body };
    };
  }
}

function webRequest({ method = 'POST', path = '/payments', headers = [], query = [], body }: TestRequest): Request {
  const search = new URLSearchParams(query as [string, string][]);
  const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
  const init = { method, headers: headers as [string, string][], ...(hasBody && { body }) };
  return new Request(`https://api.example.com${path}?${search}`, init);
}
