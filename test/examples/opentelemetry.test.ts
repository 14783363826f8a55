import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTelemetryEvents } from '../../examples/opentelemetry/events.ts';
import { thrownBy } from '../support/harness.ts';
import { page } from '../support/pages.ts';

const exporter = new InMemorySpanExporter();

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});
afterAll(() => {
  trace.disable();
  context.disable();
});

interface Order {
  readonly id: string;
  readonly amount: number;
}

const charge = idempotent(
  async (order: Order, { step }: IdempotencyHandle) => {
    await step('reserve', () => 1);
    return order.amount;
  },
  {
    store: memoryStore(),
    operation: 'charge',
    key: 'id',
    fingerprint: 'amount',
    passHandle: true,
    onEvent: openTelemetryEvents,
  },
);

/** The span of one invocation. */
async function spanOf(order: object) {
  exporter.reset();
  await trace.getTracer('test').startActiveSpan('charge', async (span) => {
    await thrownBy(charge(order as Order));
    span.end();
  });
  const [span] = exporter.getFinishedSpans();
  return {
    attributes: span?.attributes,
    events: span?.events.map(({ name }) => name),
    ofEvents: span?.events.map(({ attributes }) => attributes),
  };
}

it('an execution, its replay and its refusal are events of the span that is active, and its attributes', async () => {
  const record = {
    'idempotency.operation': 'charge',
    'idempotency.record.id': expect.stringMatching(/^charge#/),
    'idempotency.attempt': 1,
  };
  const first = await spanOf({ id: 'o-1', amount: 1 });
  expect(first.attributes).toEqual({ ...record, 'idempotency.result': 'claimed' });
  expect(first.events).toEqual(['idempotency.claimed', 'idempotency.checkpointed', 'idempotency.completed']);
  expect(first.ofEvents?.[1]).toEqual({
    ...record,
    'idempotency.duration': expect.any(Number),
    'idempotency.step': 'reserve',
  });

  const replay = await spanOf({ id: 'o-1', amount: 1 });
  expect(replay).toMatchObject({ attributes: { 'idempotency.result': 'replayed' }, events: ['idempotency.replayed'] });

  const reused = await spanOf({ id: 'o-1', amount: 2 });
  expect(reused).toMatchObject({
    attributes: { 'idempotency.result': 'key_reused' },
    events: ['idempotency.key_reused'],
  });

  const refused = await spanOf({ amount: 1 });
  expect(refused.attributes).toEqual({ 'idempotency.operation': 'charge', 'idempotency.result': 'refused' });
  expect(refused.ofEvents).toMatchObject([{ 'error.type': 'KEY_MISSING' }]);
});

it('does nothing where no span is active', async () => {
  expect(await charge({ id: 'o-2', amount: 3 })).toBe(3);
});

it('the page has every name', () => {
  const source = String(openTelemetryEvents);
  const names = new Set([...source.matchAll(/idempotency\.[a-z.]+|error\.type/g)].map(([name]) => name));
  expect(names.size).toBeGreaterThan(6);
  for (const name of names) expect(page('docs/recipes/opentelemetry.md')).toContain(`\`${name}\``);
});
