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

  it('harms nobody when the callback throws or rejects', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      const failing = () => {
        throw new Error('no metrics');
      };
      expect(() => emit(failing, event)).not.toThrow();
      emit(() => Promise.reject(new Error('no metrics')), event);
      await new Promise((resolve) => setImmediate(resolve));
      expect(rejections).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
