import middy from '@middy/core';
import { memoryStore } from 'middy-idempotency/memory';
import { createHttpIdempotency } from '../../src/http/index.ts';
import { deferred, lambdaContext, VirtualClock } from './harness.ts';
import { SHAPES, type TestRequest } from './http-events.ts';

const [, v2] = SHAPES as [(typeof SHAPES)[number], (typeof SHAPES)[number]];

class NumberedClock extends VirtualClock {
  #tokens = 0;
  override randomToken = () => `0-0-0-0-${this.#tokens++}` as const;
}

/**
 * All that can be seen of an API with these options, from outside and from its store: a request, its retry and its
 * variations, whatever the handler does with it. Every option of `httpIdempotency` shows in it.
 */
export async function behaviourOf(options: object): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  const clock = new NumberedClock();
  const store = memoryStore();
  let storeIsDown = false;
  const verbs = ['insert', 'replace', 'remove', 'read'] as const;
  const watched = verbs.map((verb) => {
    const run = async (...args: unknown[]) => {
      if (storeIsDown) throw new Error('no network');
      seen.push({ verb, args: structuredClone(args) });
      return (store[verb] as (...all: unknown[]) => unknown)(...args);
    };
    return [verb, run] as const;
  });

  const end = deferred();
  let executions = 0;
  const handler = async ({ rawPath }: { rawPath: string }) => {
    executions++;
    if (rawPath === '/throws') throw new Error('broken');
    if (rawPath === '/slow') clock.advance(22_000);
    if (rawPath === '/vanishes') await end.promise;
    return {
      statusCode: Number(rawPath.slice(1)) || 200,
      headers: { etag: '"1"', date: 'now' },
      body: `${executions}`,
    };
  };
  const chain = middy();
  chain.use(createHttpIdempotency({ store: Object.fromEntries(watched), ...options } as never, clock) as never);
  const lambda = chain.handler(handler as never);
  const ask = async (request: TestRequest) => {
    const event = v2.event({ body: '{"amount":1}', authorizer: { lambda: { principalId: 'p' } }, ...request });
    const context = { ...lambdaContext(clock), awsRequestId: 'r' };
    const answer = await lambda(event as never, context as never).catch(String);
    seen.push({ request, answer });
  };

  for (const path of ['/201', '/400', '/429', '/500', '/throws', '/slow']) {
    const request: TestRequest = { path, headers: [['Idempotency-Key', path]] };
    await ask(request);
    await ask(request);
    await ask({ ...request, body: '{"amount":2}' });
    await ask({ ...request, method: 'PUT' });
    await ask({ ...request, authorizer: {} });
    await ask({ path });
    await ask({ path, headers: [['X-Key', path]] });
  }
  storeIsDown = true;
  await ask({ headers: [['Idempotency-Key', 'down']] });
  storeIsDown = false;

  const vanishing: TestRequest = { path: '/vanishes', headers: [['Idempotency-Key', 'vanishes']] };
  const asked = [ask(vanishing)];
  asked.push(ask(vanishing));
  await everythingWaits();
  // Shortly before the end of the lease, and after it.
  clock.advance(29_500);
  asked.push(ask(vanishing));
  await everythingWaits();
  clock.advance(30_500);
  asked.push(ask(vanishing));
  await everythingWaits();
  end.resolve();
  await Promise.all(asked);
  return seen;
}

/** Longer than a store in memory and a clock that jumps take for anything. */
async function everythingWaits(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}
