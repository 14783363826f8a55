import { recordInvalid } from '../../core/record/failures.ts';
import { type Checkpoints, checkpointTexts } from '../../core/record/record.ts';
import { IdempotencyError } from '../../errors.ts';
import { isObject } from '../../json.ts';
import type { TextCodec } from './text-codec.ts';

/** Results of steps, as they are stored: text, or packed text. */
export type StoredCheckpoints = ReadonlyMap<string, string | PackedCheckpoint>;

interface PackedCheckpoint {
  readonly encoding: string;
  readonly value: Uint8Array;
}

/** Checkpoints are packed as outcomes are, each bound to its record and its name. */
export interface CheckpointFormat {
  /**
   * A `Map`, because the SDK takes an object with a member `constructor` for an instance of a class.
   *
   * @throws IdempotencyError `STORE_UNAVAILABLE` with `recordRefused` when the user's codec fails
   */
  write(recordId: string, checkpoints: Checkpoints): Promise<StoredCheckpoints>;
  /**
   * Each checkpoint is decoded when its function is called. That throws IdempotencyError `RECORD_INVALID` when it cannot be
   * read: a finished step must not run again; `STORE_UNAVAILABLE` when it cannot be read now.
   * @throws IdempotencyError `RECORD_INVALID`
   */
  read(recordId: string, stored: unknown): Checkpoints;
}

export function checkpointFormat(codec: TextCodec): CheckpointFormat {
  return {
    async write(id, checkpoints) {
      const packing = Object.entries(await checkpointTexts(checkpoints)).map(async ([name, text]) => {
        const { encoding, value } = await codec.pack(text, { id, label: labelOf(name) });
        return [name, typeof value === 'string' ? value : { encoding, value }] as const;
      });
      return new Map(await Promise.all(packing));
    },

    read(id, stored) {
      if (!isObject(stored)) throw unreadable('');
      const unpacking = Object.entries(stored).map(([name, value]) => {
        if (typeof value === 'string') return [name, value] as const;
        const packed = packedOf(name, value);
        const read = async () => {
          try {
            return await codec.unpack(packed, { id, label: labelOf(name) });
          } catch (error) {
            throw error instanceof IdempotencyError ? error : unreadable(` '${name}'`, error);
          }
        };
        return [name, read] as const;
      });
      return Object.fromEntries(unpacking);
    },
  };
}

const labelOf = (name: string) => `step ${name}`;

function packedOf(name: string, stored: unknown): PackedCheckpoint {
  const { encoding, value } = (stored ?? {}) as Partial<PackedCheckpoint>;
  if (typeof encoding !== 'string' || !(value instanceof Uint8Array)) {
    throw unreadable(` '${name}'`);
  }
  return { encoding, value };
}

function unreadable(which: string, cause?: unknown): IdempotencyError {
  return recordInvalid(`The record's checkpoints${which} are`, ', or are for another codec.', cause);
}
