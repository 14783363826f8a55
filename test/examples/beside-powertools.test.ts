import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { Tracer } from '@aws-lambda-powertools/tracer';
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { type IdempotencyEvent, idempotency } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { apiGatewayV2Event, faultyStore } from 'middy-idempotency/testing';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { guardBehind, guardInFront } from '../../examples/beside-powertools/chains.ts';
import { powertoolsEvents } from '../../examples/beside-powertools/events.ts';
import { lambdaContext, MIDDY_VERSIONS } from '../support/harness.ts';

/** Read when the X-Ray SDK is imported: then the segment of an invocation is that of Lambda. Nothing listens at this port. */
const restoreEnvironment = vi.hoisted(() => {
  const before = new Set(Object.keys(process.env));
  Object.assign(process.env, {
    LAMBDA_TASK_ROOT: '/var/task',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:9',
    AWS_XRAY_LOG_LEVEL: 'silent',
    POWERTOOLS_DEV: 'true',
    POWERTOOLS_METRICS_DISABLED: 'false',
    POWERTOOLS_METRICS_NAMESPACE: 'shop',
  });
  return () => {
    for (const name of Object.keys(process.env)) if (!before.has(name)) delete process.env[name];
  };
});
afterAll(restoreEnvironment);

const logger = new Logger({ logBufferOptions: { enabled: true } });
const tracer = new Tracer({ captureHTTPsRequests: false });
const metrics = new Metrics();
const tools = { logger, tracer, metrics };

/** What Powertools writes. */
type Line = Readonly<Record<string, unknown>>;
const lines: Line[] = [];

beforeEach(() => {
  lines.length = 0;
  for (const method of ['log', 'debug', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((text: unknown) => {
      if (typeof text === 'string' && text.startsWith('{')) lines.push(JSON.parse(text));
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

interface Subsegment {
  isClosed(): boolean;
}

const count = (counts: Record<string, number>, name: string) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** What invocations have left behind. */
class Watch {
  calls = 0;
  readonly metrics: Record<string, number> = {};
  readonly wrong = { 'open segments': 0, 'unflushed metrics': 0, 'wrong ids': 0 };

  /** One invocation after the other, each with its own request and its own trace. */
  async call(lambda: (event: never, context: Context) => Promise<unknown>, event: object): Promise<void> {
    const context = lambdaContext();
    const trace = randomUUID().replaceAll('-', '').slice(0, 24);
    process.env['_X_AMZN_TRACE_ID'] = `Root=1-67891233-${trace};Parent=53995c3f42cd8ad8;Sampled=1`;
    const facade = tracer.getSegment() as unknown as { addNewSubsegment(name: string): Subsegment };
    const open = vi.spyOn(facade, 'addNewSubsegment');
    lines.length = 0;
    try {
      await lambda(event as never, context);
    } catch {
      // The caller gets it.
    }
    this.calls++;
    const isBack = tracer.getSegment() === (facade as unknown);
    const stillOpen = open.mock.results.filter(({ value }) => !value.isClosed());
    open.mockRestore();
    this.wrong['open segments'] += stillOpen.length + (isBack ? 0 : 1);
    this.wrong['unflushed metrics'] += metrics.hasStoredMetrics() ? 1 : 0;
    for (const line of lines) {
      if (line['_aws']) for (const name of Object.keys(line)) count(this.metrics, name);
      else if (line['function_request_id'] !== context.awsRequestId) this.wrong['wrong ids']++;
    }
  }
}

const GUARDS = [
  {
    make: (options: object) => idempotency({ key: 'id', fingerprint: 'amount', ...options } as never),
    event: (id: string | undefined, amount: number): object => ({ id, amount }),
  },
  {
    make: (options: object) => httpIdempotency({ scope: 'anonymous', ...options } as never),
    event: (id: string | undefined, amount: number): object =>
      apiGatewayV2Event({ headers: id === undefined ? {} : { 'idempotency-key': id }, body: { amount } }),
  },
];

/** A hook in front of the guard, whose metric is there when the guard answers. */
const counting = (guard: MiddlewareObj): MiddlewareObj => ({
  ...guard,
  before: (request) => {
    metrics.addMetric('Requests', MetricUnit.Count, 1);
    return guard.before?.(request);
  },
});

it('no call of 1,000 leaves a segment, a metric or a request id behind, with a guard behind Powertools or in front', async () => {
  const watch = new Watch();
  const emitted: Record<string, number> = {};
  const report = powertoolsEvents(logger, metrics);
  const onEvent = (event: IdempotencyEvent) => {
    count(emitted, `Idempotency${event.type.charAt(0).toUpperCase()}${event.type.slice(1)}`);
    report(event);
  };
  for (const [, middy] of MIDDY_VERSIONS) {
    for (const chain of [guardInFront, guardBehind]) {
      for (const { make, event } of GUARDS) {
        // Some claims get no answer.
        const faults = [3, 14, 25, 36].map((call) => ({ verb: 'insert', call, fault: 'not-applied' }) as const);
        const store = faultyStore(memoryStore(), ...faults);
        const guard = make({ store, operation: 'shop', warnings: false, onEvent });
        let fails = false;
        const lambda = middy()
          .use(chain(tools, chain === guardBehind ? counting(guard as MiddlewareObj) : (guard as MiddlewareObj)))
          .handler(async () => {
            logger.info('charging');
            logger.debug('kept until the end');
            metrics.addMetric('Charges', MetricUnit.Count, 1);
            await Promise.resolve();
            if (fails) throw new Error('declined');
            return { statusCode: 201, body: randomUUID() };
          });
        for (let round = 0; round < 25; round++) {
          const id = randomUUID();
          for (const [key, amount] of [
            [id, 1],
            [id, 1],
            [id, 1],
            [id, 2],
            [undefined, 1],
          ] as const) {
            await watch.call(lambda as never, event(key, amount));
            fails = key === undefined;
          }
        }
      }
    }
  }
  const found = Object.entries(watch.wrong).map(([what, count]) => `${what} ${count}`);
  process.stdout.write(`${watch.calls} mixed calls: ${found.join(', ')}\n`);
  expect(watch.wrong).toEqual({ 'open segments': 0, 'unflushed metrics': 0, 'wrong ids': 0 });
  // It was a mix, and each event is a metric.
  expect(watch.metrics).toMatchObject(emitted);
  expect(Object.keys(emitted).sort()).toEqual(
    ['ClaimFailed', 'Claimed', 'Completed', 'KeyReused', 'Refused', 'Released', 'Replayed', 'TakenOver'].map(
      (name) => `Idempotency${name}`,
    ),
  );
});

it('a replay is given although Powertools cannot end what it has begun', async () => {
  const strict = new Metrics();
  const lambda = MIDDY_VERSIONS[0][1]()
    .use(logMetrics(strict, { throwOnEmptyMetrics: true }))
    .use(idempotency({ store: memoryStore(), operation: 'shop', key: 'id' }))
    .handler(async () => {
      strict.addMetric('Charges', MetricUnit.Count, 1);
      return 'paid';
    });
  for (const _ of ['first', 'replay']) expect(await lambda({ id: 'strict' }, lambdaContext())).toBe('paid');
});
