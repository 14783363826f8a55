import { outcomeRefused } from './codec.ts';
import { conditionOf, type Table } from './table.ts';

/**
 * An item may have 400 KB, attribute names included (AWS: "Quotas and limits in Amazon DynamoDB").
 * The rest of the item fits into the difference: keys of up to 3 KB, names, numbers and digests.
 */
export const MAX_ITEM_BYTES = 392 * 1024;

/** For the largest outcome, and a codec that makes it half as large again. */
const MAX_PARTS = 64;

/** Requests at once: more would only wait for each other, or be throttled. */
const CONCURRENCY = 8;

/**
 * A reader whose clock is behind must not find a live record without its parts. A running execution moves the expiration on
 * with every write: its parts are not written again before half of this is used up.
 */
const LONGER_THAN_RECORD_SECONDS = 3600;

/** What a record says of its parts. The digest (SHA-256, base64url) proves that they are whole. */
export interface PartsReference {
  readonly digest: string;
  readonly parts: number;
}

/** Bytes that one item cannot hold, ready to be written. */
export interface Parts extends PartsReference {
  readonly bytes: Uint8Array;
  /**
   * Writes the parts that are not there yet: after a failure, the next call goes on where this one
   * has stopped.
   */
  write(expiration: number): Promise<void>;
}

/**
 * Bytes as part items beside their record, under ids that no record can have and that say what is in them:
 * `<record id>#<digest of all bytes>#<number>`. They are written before the record that names them:
 * a reader that finds the record finds its parts. Parts of a record that was never written, or was
 * replaced, expire by the table's TTL.
 *
 * @param written until when each part that is there already is kept, epoch seconds
 */
export async function cut(table: Table, recordId: string, bytes: Uint8Array, written: number[] = []): Promise<Parts> {
  const digest = await digestOf(bytes);
  const parts = Math.ceil(bytes.length / MAX_ITEM_BYTES);
  if (parts > MAX_PARTS) {
    throw outcomeRefused(`${bytes.length} bytes are more than ${MAX_PARTS} parts of ${MAX_ITEM_BYTES} bytes.`, false);
  }
  return { bytes, digest, parts, write };

  async function write(recordExpiration: number): Promise<void> {
    const { names } = table;
    const expiration = recordExpiration + LONGER_THAN_RECORD_SECONDS;
    await concurrently(parts, async (index) => {
      if ((written[index] as number) >= expiration - LONGER_THAN_RECORD_SECONDS / 2) return;
      const item = {
        ...table.keyOf(partId(recordId, digest, index)),
        [names.expiration]: expiration,
        [names.outcome]: bytes.subarray(index * MAX_ITEM_BYTES, (index + 1) * MAX_ITEM_BYTES),
      };
      // Or another execution has stored the same outcome, and keeps it longer.
      const condition = conditionOf(
        'attribute_not_exists(#id) OR #expiration < :expiration',
        { '#id': names.id, '#expiration': names.expiration },
        { ':expiration': expiration },
      );
      await table.put(item, condition);
      written[index] = expiration;
    });
  }
}

/**
 * The parts as they are there, whole as they were written. A record may name them again.
 *
 * @throws IdempotencyError `STORE_UNAVAILABLE` when they cannot be read now
 * @throws Error when a part is gone or altered
 */
export async function join(table: Table, recordId: string, reference: PartsReference): Promise<Parts> {
  const { digest, parts } = reference;
  if (parts > MAX_PARTS) throw new Error('no such parts');
  const read: Uint8Array[] = [];
  const written: number[] = [];
  await concurrently(parts, async (index) => {
    const item = await table.get(partId(recordId, digest, index));
    const part: unknown = item?.[table.names.outcome];
    if (!(part instanceof Uint8Array)) throw new Error('a part is gone');
    read[index] = part;
    written[index] = item?.[table.names.expiration] as number;
  });
  const whole = await cut(table, recordId, Buffer.concat(read), written);
  if (whole.digest !== digest || whole.parts !== parts) throw new Error('a part is altered');
  return whole;
}

/** A record id ends with a digest; this ends with a number. */
function partId(recordId: string, digest: string, index: number): string {
  return `${recordId}#${digest}#${index + 1}`;
}

/** In the thread pool, like all work that grows with the outcome. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('base64url');
}

/** Runs `work` for each index below `count`, a few at once. After a failure no further one begins. */
async function concurrently(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      try {
        await work(next++);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(count, CONCURRENCY) }, worker));
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
