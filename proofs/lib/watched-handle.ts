import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { HistoryEvent } from './history.ts';

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

/** A response, and the text of it in the history. */
interface Response {
  readonly text: string;
  readonly value: unknown;
}

type Settlement = Extract<HistoryEvent, { type: 'ended' }>['settlement'];

/** The handle of a scripted handler. What the handler does with it, and sees of it, is written down. */
export class WatchedHandle<TItem> {
  readonly #handle: IdempotencyHandle<TItem>;
  readonly #tell: Tell;
  /** The lease that was written down last. */
  #leaseUntil: number;
  #unwatch: () => void = () => undefined;
  /** The response that is certainly stored. */
  #stored: string | undefined;

  /** The handler begins. */
  constructor(handle: IdempotencyHandle<TItem>, tell: Tell) {
    const { attempt, leaseUntil } = handle;
    this.#handle = handle;
    this.#tell = tell;
    this.#leaseUntil = leaseUntil;
    tell({ type: 'started', attempt, leaseUntil });
  }

  get stored(): string | undefined {
    return this.#stored;
  }

  /** Writes down a lease that got longer. The handle shows it, and there is no event of it. */
  look(): void {
    const { leaseUntil } = this.#handle;
    if (leaseUntil === this.#leaseUntil) return;
    this.#leaseUntil = leaseUntil;
    this.#tell({ type: 'extended', leaseUntil });
  }

  /** From here on it is written down when the signal fires. */
  watchSignal(): void {
    const { signal } = this.#handle;
    this.#tell({ type: 'watching' });
    const told = () => this.#tell({ type: 'signalled' });
    if (signal.aborted) told();
    else signal.addEventListener('abort', told);
    this.#unwatch = () => signal.removeEventListener('abort', told);
  }

  /** The end of the handler: what the signal does after it is no longer written down. */
  unwatchSignal(): void {
    this.#unwatch();
  }

  extend(millis: number): Promise<void> {
    return this.#handle.extend(millis);
  }

  async step(step: string, run: () => Promise<string>): Promise<void> {
    const result = await this.#handle.step(step, async () => {
      this.#tell({ type: 'stepBegan', step });
      let made: string;
      try {
        made = await run();
      } catch (error) {
        this.#tell({ type: 'stepEnded', step });
        throw error;
      }
      this.#tell({ type: 'stepEnded', step, result: made });
      return made;
    });
    this.#tell({ type: 'stepTold', step, result });
  }

  complete(response: Response): Promise<void> {
    return this.#finish('complete', response, () => this.#handle.complete(response.value));
  }

  transact(items: readonly TItem[], response: Response): Promise<void> {
    return this.#finish('transact', response, () => this.#handle.transact(items, response.value));
  }

  /**
   * What becomes of an outcome. After `complete` and `transact` no failure changes what is stored. `keeps`: whether the outcome
   * is a failure, or was made of one.
   */
  promised(settlement: Settlement, text: string, keeps: boolean) {
    if (this.#stored === undefined) return { settlement };
    return { settlement: 'store' as const, ...(keeps && text !== this.#stored && { kept: this.#stored }) };
  }

  async #finish(by: 'complete' | 'transact', { text }: Response, store: () => Promise<void>): Promise<void> {
    this.#tell({ type: 'finishing', by, text });
    await store();
    this.#tell({ type: 'finished', text });
    this.#stored = text;
  }
}
