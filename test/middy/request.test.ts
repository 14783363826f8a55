import type middy7 from '@middy/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { type MiddyRequest, watchRequest } from '../../src/middy/request.ts';
import { MIDDY_VERSIONS, thrownBy } from '../support/harness.ts';

type Hook = (request: MiddyRequest) => unknown;
type Hooks = { readonly [Name in 'before' | 'after' | 'onError']?: Hook };
type Heard = [call: string, ...args: unknown[]];

let own = new Error();
let thrownByHook = new Error();
// Middy writes into an error that a hook throws.
beforeEach(() => {
  own = new Error('thrown by the handler');
  thrownByHook = new Error('thrown by a hook');
});
function throwsOwn(): never {
  throw own;
}
function hookThrows(): never {
  throw thrownByHook;
}

/** A hook that watches the request, and what its listener hears. */
function watching(name = '') {
  const heard: Heard[] = [];
  const before: Hook = (request) =>
    watchRequest(request, {
      answered: (response) => void heard.push(['answered', response]),
      failed: (error, answered) => void heard.push(['failed', error, answered]),
      failedAgain: (error, ended) => void heard.push(['failedAgain', error, ended]),
      async endedEarly(response) {
        heard.push(['endedEarly', response]);
        return `${response}, settled${name}`;
      },
    });
  return { heard, before };
}

function run(middy: typeof middy7, handler: () => unknown, ...hooks: readonly Hooks[]): Promise<unknown> {
  const chain = middy();
  for (const one of hooks) chain.use(one as never);
  return chain.handler(async () => handler())({}, {} as never) as Promise<unknown>;
}

describe.each(MIDDY_VERSIONS)('watching a request of %s', (_, middy) => {
  it('hears the answer of the handler, and not what hooks make of it', async () => {
    const { heard, before } = watching();
    const changes: Hook = (request) => {
      request.response = 'changed';
    };
    expect(await run(middy, () => 'done', { before }, { after: changes })).toBe('changed');
    expect(heard).toEqual([['answered', 'done']]);
  });

  it('hears that the handler has thrown', async () => {
    const { heard, before } = watching();
    expect(await thrownBy(run(middy, throwsOwn, { before }))).toBe(own);
    expect(heard.at(-1)).toEqual(['failed', own, false]);
  });

  it.each(['done', undefined])('hears that a hook has thrown after the handler had answered: %s', async (answer) => {
    const { heard, before } = watching();
    expect(await thrownBy(run(middy, () => answer, { before }, { after: hookThrows }))).toBe(thrownByHook);
    expect(heard).toEqual([
      ['answered', answer],
      ['failed', thrownByHook, true],
    ]);
  });

  it('hears that a hook of the error path has thrown, which ends it', async () => {
    const { heard, before } = watching();
    expect(await thrownBy(run(middy, throwsOwn, { before }, { onError: hookThrows }))).toBe(thrownByHook);
    expect(heard.at(-1)).toEqual(['failedAgain', thrownByHook, true]);
  });

  it('hears that a hook has put another error in its place, which ends nothing', async () => {
    const { heard, before } = watching();
    const onError: Hook = (request) => {
      request.error = thrownByHook;
    };
    expect(await thrownBy(run(middy, throwsOwn, { before }, { onError }))).toBe(thrownByHook);
    expect(heard.at(-1)).toEqual(['failedAgain', thrownByHook, false]);
  });

  it.each<[where: string, handler: () => unknown, at: 'after' | 'onError']>([
    ['after the handler', () => 'done', 'after'],
    ['on the error path', throwsOwn, 'onError'],
  ])('hears that a hook has answered early %s, and its answer is what Middy gets', async (_where, handler, at) => {
    const { heard, before } = watching();
    const early: Hook = (request) => {
      request.earlyResponse = 'early';
    };
    // Hooks of the way back run from the last to the first: one that was used before is skipped.
    const skipped: Hooks = { [at]: hookThrows };
    expect(await run(middy, handler, { before }, skipped, { [at]: early })).toBe('early, settled');
    expect(heard.at(-1)).toEqual(['endedEarly', 'early']);
  });

  it('ends nothing for a hook that looks at the response', async () => {
    const { heard, before } = watching();
    const seen: unknown[] = [];
    const looks: Hook = (request) => void seen.push(request.response);
    expect(await run(middy, () => 'done', { before }, { after: looks })).toBe('done');
    expect(seen).toEqual(['done']);
    expect(heard).toEqual([['answered', 'done']]);
  });

  it('hears the same when another guard watches the same request, and the outer one answers last', async () => {
    const outer = watching(' by the outer one');
    const inner = watching(' by the inner one');
    const early: Hook = (request) => {
      request.earlyResponse = 'early';
    };
    const hooks = [{ before: outer.before }, { before: inner.before }, { after: early }];
    expect(await run(middy, () => 'done', ...hooks)).toBe('early, settled by the outer one');
    const expected = [
      ['answered', 'done'],
      ['endedEarly', 'early'],
    ];
    expect(outer.heard).toEqual(expected);
    expect(inner.heard).toEqual(expected);
  });

  it('watches one request, and no other one of the chain', async () => {
    const { heard, before } = watching();
    let isFirst = true;
    const first: Hook = (request) => {
      if (isFirst) before(request);
      isFirst = false;
    };
    const chain = middy();
    chain.use({ before: first } as never);
    const lambda = chain.handler(async (event: unknown) => event);
    await Promise.all([lambda('a', {} as never), lambda('b', {} as never)]);
    expect(heard).toEqual([['answered', 'a']]);
  });
});
