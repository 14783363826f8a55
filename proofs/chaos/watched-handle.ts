import type { IdempotencyHandle } from '../../src/index.ts';
import type { HistoryEvent } from '../../test/support/history.ts';

type ToldType =
  | 'started'
  | 'extended'
  | 'watching'
  | 'signalled'
  | 'stepBegan'
  | 'stepEnded'
  | 'stepTold'
  | 'finishing'
  | 'finished'
  | 'ended';

/** What a handler writes down of itself. */
type Told = { [T in ToldType]: Omit<Extract<HistoryEvent, { type: T }>, 'at' | 'call'> }[ToldType];
export type Tell = (event: Told) => void;

const LOOK_EVERY_MILLIS = 20;

/** Writes down what the handle shows and tells nobody: that the lease got longer. And when the signal fires. */
export function watchLease(handle: Pick<IdempotencyHandle, 'leaseUntil' | 'signal'>, tell: Tell): { stop(): void } {
  let { leaseUntil } = handle;
  const look = () => {
    if (handle.leaseUntil === leaseUntil) return;
    leaseUntil = handle.leaseUntil;
    tell({ type: 'extended', leaseUntil });
  };
  const { signal } = handle;
  tell({ type: 'watching' });
  const signalled = () => tell({ type: 'signalled' });
  if (signal.aborted) signalled();
  else signal.addEventListener('abort', signalled);
  const timer = setInterval(look, LOOK_EVERY_MILLIS);
  return {
    stop() {
      clearInterval(timer);
      signal.removeEventListener('abort', signalled);
      look();
    },
  };
}

/** A step, with all that the handler does and sees of it. */
export async function runStep(
  handle: Pick<IdempotencyHandle, 'step'>,
  tell: Tell,
  step: string,
  effect: () => Promise<string>,
): Promise<void> {
  const result = await handle.step(step, async () => {
    tell({ type: 'stepBegan', step });
    const made = await effect().catch((error: unknown) => {
      tell({ type: 'stepEnded', step });
      throw error;
    });
    tell({ type: 'stepEnded', step, result: made });
    return made;
  });
  tell({ type: 'stepTold', step, result });
}
