import { randomUUID } from 'node:crypto';
import type { InProgressRecord } from '../../src/core/record/record.ts';
import type { Expected } from '../../src/core/record/store.ts';
import { storeAt } from './clients.ts';

/** A process that races for records: it is told which, and answers what it wrote and what it met. */
export interface Race {
  readonly id: string;
  /** A takeover of this one; an insert where there is none. */
  readonly expected?: Expected;
  readonly attempt: number;
}

export interface Finish {
  readonly record: InProgressRecord;
  readonly isDone: boolean;
  readonly met?: unknown;
}

const { store, close } = storeAt(process.argv[2] ?? '');

process.on('message', async ({ id, expected, attempt }: Race) => {
  const record: InProgressRecord = {
    id,
    status: 'IN_PROGRESS',
    owner: randomUUID(),
    attempt,
    leaseUntil: 2_400_000_000_000,
    expiration: 2_500_000_000,
  };
  const answer = expected === undefined ? await store.insert(record) : await store.replace(record, expected);
  const finish: Finish = { record, isDone: answer.done, ...(!answer.done && { met: answer.existing }) };
  process.send?.(finish);
});
process.once('disconnect', () => void close());
process.send?.('ready');
