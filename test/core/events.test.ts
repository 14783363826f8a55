import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { emit } from '../../src/core/events.ts';

describe('an event', () => {
  const event = { type: 'claimed', operation: 'o', id: 'i', attempt: 1, durationMillis: 0 } as const;

  it('is told as it is', () => {
    const onEvent = vi.fn();
    emit(onEvent, event);
    expect(onEvent).toHaveBeenCalledExactlyOnceWith(event);
    expect(() => emit(undefined, event)).not.toThrow();
  });

  it.each<[string, () => unknown]>([
    ['this realm', () => Promise.reject(new Error('no metrics'))],
    ['another realm', runInNewContext("async () => { throw new Error('no metrics'); }")],
  ])('harms no request when the callback throws, or rejects with a promise of %s', async (_, rejecting) => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      const failing = () => {
        throw new Error('no metrics');
      };
      expect(() => emit(failing, event)).not.toThrow();
      emit(rejecting, event);
      await new Promise((resolve) => setImmediate(resolve));
      expect(rejections).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('does not run a query that the callback returns: a thenable is not a promise', async () => {
    // biome-ignore lint/suspicious/noThenProperty: as a query of a database library has it
    const query = { then: vi.fn() };
    emit(() => query, event);
    await new Promise((resolve) => setImmediate(resolve));
    expect(query.then).not.toHaveBeenCalled();
  });
});
