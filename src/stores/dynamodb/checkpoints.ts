import type { Checkpoints } from '../../core/record/record.ts';
import { IdempotencyError } from '../../errors.ts';
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
   * @throws IdempotencyError `RECORD_INVALID` when they cannot be read: what has been done must not be done again;
   *   `STORE_UNAVAILABLE` when they cannot be read now
   */
  read(recordId: string, stored: unknown): Promise<Checkpoints>;
}

export function checkpointFormat(codec: TextCodec): CheckpointFormat {
  return {
    async write(id, checkpoints) {
      const packing = Object.entries(checkpoints).map(async ([name, text]) => {
        const { encoding, value } = await codec.pack(text, { id, label: labelOf(name) });
        return [name, typeof value === 'string' ? value : { encoding, value }] as const;
      });
      return new Map(await Promise.all(packing));
    },

    async read(id, stored) {
      if (typeof stored !== 'object' || stored === null) throw unreadable('', new TypeError('they are no map'));
      const unpacking = Object.entries(stored).map(async ([name, value]) => {
        try {
          return [name, await codec.unpack(packedOf(value), { id, label: labelOf(name) })] as const;
        } catch (error) {
          throw error instanceof IdempotencyError ? error : unreadable(` '${name}'`, error);
        }
      });
      return Object.fromEntries(await Promise.all(unpacking));
    },
  };
}

const labelOf = (name: string) => `step ${name}`;

function packedOf(stored: unknown): { readonly encoding: string; readonly value: string | Uint8Array } {
  if (typeof stored === 'string') return { encoding: '', value: stored };
  const { encoding, value } = (stored ?? {}) as Partial<PackedCheckpoint>;
  if (typeof encoding !== 'string' || !(value instanceof Uint8Array)) throw new TypeError('it is no text');
  return { encoding, value };
}

function unreadable(which: string, cause: unknown): IdempotencyError {
  return new IdempotencyError('RECORD_INVALID', 'What is stored of this request cannot be read. It is not executed.', {
    cause,
    advice: `The record's checkpoints${which} are not what this version writes, or are for another codec.`,
  });
}
