import { describe, expect, it, vi } from 'vitest';
import { MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

/** As query builders answer: the work begins when somebody waits for it, and again for everybody who does. */
function query(work: () => unknown) {
  return {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about
    async then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    },
  };
}

describe.each(MIDDY_VERSIONS)('an answer that is work to wait for, and no promise, with %s', (_, middy) => {
  it('is stored as what it becomes, and is done once', async () => {
    const work = vi.fn(() => ({ statusCode: 201, body: 'made' }));
    const call = guards.guarded({ middy, handler: () => query(work) });
    const order = newOrder();
    const answers = [await call(order), await call(order)];
    expect(answers).toEqual(Array(2).fill({ statusCode: 201, body: 'made' }));
    expect(work).toHaveBeenCalledTimes(1);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('that fails has thrown: a retry executes', async () => {
    const failure = new Error('insert failed');
    const work = vi
      .fn((): unknown => 'made')
      .mockImplementationOnce(() => {
        throw failure;
      });
    const call = guards.guarded({ middy, handler: () => query(work) });
    const order = newOrder();
    expect(await thrownBy(call(order))).toBe(failure);
    expect(await call(order)).toBe('made');
    expect(work).toHaveBeenCalledTimes(2);
    expect(guards.eventTypes()).toEqual(['claimed', 'released', 'takenOver', 'completed']);
  });

  it('is waited for once where a hook gives it, and where there are two guards', async () => {
    const work = vi.fn(() => 'made by a hook');
    const answers = { after: () => query(work) };
    const behind = [guards.middleware({ operation: 'inner' }), answers] as never;
    const call = guards.guarded({ middy, handler: async () => 'made', behind });
    const order = newOrder();
    expect(await call(order)).toBe('made by a hook');
    expect(work).toHaveBeenCalledTimes(1);
    expect(await call(order)).toBe('made by a hook');
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('is a failure of the hook that gives it, when that fails: the work is done', async () => {
    const failure = new Error('the hook failed');
    const handler = vi.fn(async () => 'made');
    const answers = {
      after: (request: { response: unknown }) => {
        request.response = query(() => {
          throw failure;
        });
      },
    };
    const call = guards.guarded({ middy, handler, behind: [answers] as never });
    const order = newOrder();
    expect(await thrownBy(call(order))).toBe(failure);
    expect(await thrownBy(call(order))).toMatchObject({ message: 'the hook failed' });
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe('an answer that Middy 7 does not wait for', () => {
  it('is held when a hook throws before anybody has waited for it: it may be under way', async () => {
    const work = vi.fn(() => 'made');
    const throws = {
      after: () => {
        throw new Error('a hook');
      },
    };
    const call = guards.guarded({ handler: () => query(work), behind: [throws] as never });
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ message: 'a hook' });
    expect(guards.eventTypes()).toEqual(['claimed', 'held']);
    expect(await thrownBy(guards.guarded({ handler: () => query(work) })(order))).toMatchObject({
      code: 'IN_FLIGHT',
    });
    expect(work).not.toHaveBeenCalled();
  });
});
