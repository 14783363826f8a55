import { setTimeout as sleep } from 'node:timers/promises';
import type { IdempotencyEvent } from 'middy-idempotency';
import type { Random } from '../lib/random.ts';
import type { Database } from './databases.ts';

const WITHIN_MILLIS = 60;

export interface Vanishing {
  /** How many records have vanished while their execution went on, and how many with an outcome. */
  readonly vanished: { running: number; completed: number };
  /** Takes what happens to a record: now and then it vanishes soon afterwards. */
  onEvent(event: Pick<IdempotencyEvent, 'type' | 'id'>): void;
  /** Nothing vanishes any more when this is done. */
  end(): Promise<void>;
}

export interface VanishingOptions {
  readonly deleteRecord: Database<unknown>['deleteRecord'];
  /** Which part of the claims, and which of the outcomes. */
  readonly part: number;
  readonly random: Random;
}

/** Deletes records under way: as TTL does with those that have expired, and a person with any. */
export function vanishing({ deleteRecord, part, random }: VanishingOptions): Vanishing {
  const vanished = { running: 0, completed: 0 };
  const pending = new Set<Promise<void>>();
  let isOver = false;

  async function vanish(id: string, millis: number): Promise<void> {
    await sleep(millis);
    const status = await deleteRecord(id);
    if (status !== undefined) vanished[status === 'COMPLETED' ? 'completed' : 'running']++;
  }

  return {
    vanished,
    onEvent({ type, id }) {
      if (isOver || !['claimed', 'takenOver', 'completed'].includes(type) || random.next() >= part) return;
      const deletion = vanish(id, random.between(0, WITHIN_MILLIS)).finally(() => pending.delete(deletion));
      pending.add(deletion);
    },
    async end() {
      isOver = true;
      await Promise.all(pending);
    },
  };
}
