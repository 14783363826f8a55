import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { type IdempotencyHandle, idempotent, type RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { describe, expect, it, vi } from 'vitest';
import { type Backend, usePostgres, useRedisBackend } from '../support/backends.ts';
import { deferred, elsewhere, lambdaContext, thrownBy } from '../support/harness.ts';
import { SHAPES } from '../support/http-events.ts';
import { HAS_REDIS } from '../support/redis.ts';

const BACKENDS = [
  ['PostgreSQL', usePostgres, true],
  ['Redis', useRedisBackend, HAS_REDIS],
] as const;

/** Longer than a change of permissions takes. */
const PATIENT_MILLIS = 10_000;

type Body = (handle: IdempotencyHandle) => Promise<unknown>;

/** A guarded function that is called in another process's place. */
function guarded(store: RecordStore, body: Body, options: object = {}) {
  const common = { store, key: (id: string) => id, operation: 'test', passHandle: true, warnings: false } as const;
  const run = idempotent((_: string, handle: IdempotencyHandle) => body(handle), { ...common, ...options } as never);
  return (id: string) => elsewhere(() => run(id as never)) as Promise<unknown>;
}

describe.each(BACKENDS)('%s', (_, use, isThere) => {
  describe.skipIf(!isThere)('', () => {
    const backend: Backend = use();
    const { proxy } = backend;
    const executed = async () => 'executed again';

    /** The first write with this text is applied, and its answer lost; then the database refuses all of this user's. */
    function loseThenRefuse(text: string) {
      let isLost = false;
      proxy.decide = (sent) => {
        if (isLost || !backend.isWrite(sent, text)) return 'pass';
        isLost = true;
        return { beforeCut: () => backend.permit(false) };
      };
      return () => backend.permit(true);
    }

    describe('I13 "done" is the truth', () => {
      it('of a second `complete`, when the first was applied without an answer, and then refused', async () => {
        const end = loseThenRefuse('COMPLETED');
        const errors: unknown[] = [];
        const id = randomUUID();
        const first = await guarded(backend.store(PATIENT_MILLIS), async ({ complete }) => {
          errors.push(await thrownBy(complete('A')));
          await end();
          errors.push(await thrownBy(complete('B')));
          return 'B';
        })(id).catch((error: unknown) => error);
        expect(errors[0]).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: undefined });
        const retry = await guarded(backend.store(), executed)(id);
        expect(retry).toBe(errors[1] === undefined ? 'B' : 'A');
        if (!(first instanceof Error)) expect(first).toBe(retry);
      });

      it('and no retry executes, when the handler throws after it', async () => {
        const end = loseThenRefuse('COMPLETED');
        const id = randomUUID();
        const body: Body = ({ complete }) => complete('A').finally(end);
        expect(await thrownBy(guarded(backend.store(PATIENT_MILLIS), body)(id))).toMatchObject({
          code: 'STORE_UNAVAILABLE',
        });
        expect(await guarded(backend.store(), executed)(id)).toBe('A');
      });

      it('of the handler: an outcome whose answer was lost is stored, and is what a retry gets', async () => {
        for (const fate of ['cut answer', 'cut'] as const) {
          let faults = 1;
          proxy.decide = (sent) => (backend.isWrite(sent, 'COMPLETED') && faults-- > 0 ? fate : 'pass');
          const id = randomUUID();
          expect(await guarded(backend.store(), async () => 'A')(id)).toBe('A');
          expect(await guarded(backend.store(), executed)(id)).toBe('A');
        }
      });
    });

    describe("I14 onStoreError 'run'", () => {
      /** A duplicate that may run unguarded, and how often it did. */
      async function duplicate(key: string) {
        const handler = vi.fn(async () => ({ statusCode: 201, body: 'second' }));
        const api = apiOf(backend.store(), handler);
        const { statusCode } = await api(key);
        return { statusCode, executions: handler.mock.calls.length };
      }

      it('never executes a COMPLETED request again when the database has refused to answer', async () => {
        const key = randomUUID();
        await apiOf(backend.store(), async () => ({ statusCode: 201, body: 'first' }))(key);
        await backend.permit(false);
        expect(await duplicate(key).finally(() => backend.permit(true))).toEqual({ statusCode: 503, executions: 0 });
        expect(await duplicate(key)).toEqual({ statusCode: 201, executions: 0 });
      });

      it('never executes beside a live lease', async () => {
        const key = randomUUID();
        const [started, gate] = [deferred(), deferred()];
        const first = apiOf(backend.store(), async () => {
          started.resolve();
          await gate.promise;
          return { statusCode: 201, body: 'first' };
        })(key);
        await started.promise;
        expect(await duplicate(key)).toEqual({ statusCode: 409, executions: 0 });
        gate.resolve();
        expect(await first).toMatchObject({ statusCode: 201 });
      });

      it.each(['cut', 'hang'] as const)('executes when no answer came: %s', async (fate) => {
        proxy.decide = () => fate;
        expect(await duplicate(randomUUID())).toEqual({ statusCode: 201, executions: 1 });
      });
    });

    describe('I16 bounded', () => {
      it('a database that hangs is given up within the lease, whatever the client waits for', async () => {
        const store = backend.store(PATIENT_MILLIS);
        await store.read('warm');
        proxy.decide = () => 'hang';
        const startedAt = performance.now();
        const call = guarded(store, executed, { leaseMillis: 500 });
        expect(await thrownBy(call(randomUUID()))).toMatchObject({ code: 'STORE_UNAVAILABLE', unanswered: true });
        expect(performance.now() - startedAt).toBeLessThan(3000);
        proxy.cut();
      });

      it('an outcome that nobody takes is given up before the end of the invocation, and the caller has its response', async () => {
        const store = backend.store(PATIENT_MILLIS);
        const deadline = performance.now() + 2000;
        const run = idempotent(
          async (_: string) => {
            proxy.decide = () => 'hang';
            return 'done';
          },
          { store, key: (id: string) => id, operation: 'test', warnings: false },
        ) as (...args: unknown[]) => Promise<unknown>;
        const context = { getRemainingTimeInMillis: () => deadline - performance.now() };
        expect(await run(randomUUID(), context)).toBe('done');
        expect(performance.now()).toBeLessThan(deadline);
        proxy.cut();
      });
    });
  });
});

/** An API behind a gateway, which may run unguarded: the answer to a request with this key. */
function apiOf(store: RecordStore, handler: () => Promise<object>) {
  const guard = httpIdempotency({ store, operation: 'test', scope: 'anonymous', onStoreError: 'run', warnings: false });
  const lambda = middy()
    .use(guard as middy.MiddlewareObj)
    .handler(handler as never) as unknown as (event: unknown, context: unknown) => Promise<{ statusCode: number }>;
  return (key: string) => {
    const event = SHAPES[1]?.event({ body: '{}', headers: [['Idempotency-Key', key]] });
    return elsewhere(() => lambda(event, lambdaContext()));
  };
}
