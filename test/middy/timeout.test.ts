import { describe, expect, it } from 'vitest';
import { middyTimeout } from '../../src/middy/timeout.ts';
import { MIDDY_VERSIONS, thrownBy } from '../support/harness.ts';

/** An invocation whose remaining time the test sets. */
function invocation(initial: number, timeoutEarlyInMillis?: number) {
  let left = initial;
  const watch = middyTimeout(timeoutEarlyInMillis)(() => left);
  return {
    watch,
    passUntil(millis: number) {
      left = millis;
    },
  };
}

const named = (name: string, details: object = {}) => Object.assign(new Error(name), { name, ...details });

describe('an answer that comes in the last milliseconds', () => {
  it("is Middy's early timeout, 5 ms before the end where nothing else is said, and 2 ms for its timer", () => {
    const { watch, passUntil } = invocation(1000);
    passUntil(8);
    expect(watch.isTimeout()).toBe(false);
    passUntil(7);
    expect(watch.isTimeout()).toBe(true);
  });

  it('or as early as the chain was told', () => {
    const { watch, passUntil } = invocation(1000, 300);
    passUntil(303);
    expect(watch.isTimeout()).toBe(false);
    passUntil(302);
    expect(watch.isTimeout()).toBe(true);
  });

  it('is the handler’s where Middy has no early timeout, or the context no time', () => {
    const { watch, passUntil } = invocation(1000, 0);
    passUntil(0);
    expect(watch.isTimeout()).toBe(false);
    expect(invocation(0).watch.isTimeout()).toBe(false);
    expect(middyTimeout()(undefined).isTimeout()).toBe(false);
  });
});

describe('an error that comes in time', () => {
  const { watch } = invocation(1000);

  it.each(MIDDY_VERSIONS)('is the timeout where it is that of %s', async (_, middy) => {
    const late = middy({ timeoutEarlyInMillis: 10 }).handler(() => new Promise(() => undefined));
    const error = await thrownBy(late({}, { getRemainingTimeInMillis: () => 10 } as never) as Promise<unknown>);
    expect(error).toBeInstanceOf(Error);
    expect(watch.isMiddyError(error)).toBe(true);
    expect(watch.isTimeout(error)).toBe(true);
  });

  it.each([
    ['another TimeoutError', named('TimeoutError', { cause: { package: 'got' } })],
    ['a TimeoutError without a cause', named('TimeoutError')],
    ['another error of Middy', named('Error', { cause: { package: '@middy/core' } })],
    ['AbortError', named('AbortError')],
    ['CanceledError, as axios names it', named('CanceledError')],
    ['what is no error', { name: 'TimeoutError', cause: { package: '@middy/core' } }],
    ['a text', 'AbortError'],
    ['nothing', undefined],
    ['null', null],
  ])('is the handler’s own: %s', (_, error) => {
    expect(watch.isTimeout(error)).toBe(false);
  });

  it('is the handler’s own where it throws when it is looked at, or names itself as its cause', () => {
    const hostile = Object.defineProperty(new Error('hostile'), 'name', {
      get() {
        throw new Error('do not look');
      },
    });
    const circular = named('Error');
    circular.cause = circular;
    expect(watch.isTimeout(hostile)).toBe(false);
    expect(watch.isMiddyError(hostile)).toBe(false);
    expect(watch.isTimeout(circular)).toBe(false);
  });
});

describe('a handler', () => {
  it('is not begun when the claim has left it less than the early timeout', () => {
    const { watch, passUntil } = invocation(1000);
    expect(watch.tooLateToStart()).toBe(false);
    passUntil(7);
    expect(watch.tooLateToStart()).toBe(true);
  });

  it('is begun in an invocation that never had more: Middy gives it up, and nothing has been lost', () => {
    expect(invocation(7).watch.tooLateToStart()).toBe(false);
  });
});

describe('an invocation', () => {
  it('is half over when less than half of its time is left', () => {
    const { watch, passUntil } = invocation(1000);
    passUntil(500);
    expect(watch.isHalfOver()).toBe(false);
    passUntil(499);
    expect(watch.isHalfOver()).toBe(true);
  });

  it('is never half over where the context has no time', () => {
    expect(invocation(0).watch.isHalfOver()).toBe(false);
    expect(middyTimeout()(undefined).isHalfOver()).toBe(false);
  });
});

it.each([-1, Number.NaN, '5' as never])('refuses %s as the early timeout', (millis) => {
  expect(() => middyTimeout(millis)).toThrow(/timeoutEarlyInMillis/);
});
