import { recordInvalid } from '../../core/record/failures.ts';
import { type Checkpoints, checkpointTexts, type IdempotencyRecord } from '../../core/record/record.ts';
import { IdempotencyError } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { outcomeRefused } from './codec.ts';
import type { PackedCheckpoint, StoredCheckpoints } from './item.ts';
import { cut, join, type Parts, type PartsReference } from './parts.ts';
import type { Table } from './table.ts';
import { MAX_TEXT_BYTES, type PackedText, type TextCodec } from './text-codec.ts';

/**
 * What a record may hold of steps before the larger ones get items of their own. Every write of the record pays for what it
 * holds, and an item of its own costs one request. By measurement: 100 steps of 4 KB took 10,877 write units, and take 885.
 */
const MAX_INLINE_BYTES = 2048;
/** A reference to an item takes about 100 bytes. */
const MIN_ITEM_BYTES = 256;

/** Executions of one process at the same time. Of one that ended without an outcome, its steps stay here until as many others begin. */
const MAX_RECORDS = 100;

/** Checkpoints are packed as outcomes are, each bound to its record and its name. */
export interface CheckpointFormat {
  /**
   * When this resolves, the items of large results are written. A `Map`, because the SDK takes an object with a member
   * `constructor` for an instance of a class.
   *
   * @throws IdempotencyError `STORE_UNAVAILABLE`, with `recordRefused` when the user's codec fails or a result is too large
   */
  write(record: Pick<IdempotencyRecord, 'id' | 'expiration'>, checkpoints: Checkpoints): Promise<StoredCheckpoints>;
  /**
   * Each checkpoint is decoded when its function is called. That throws IdempotencyError `RECORD_INVALID` when it cannot be
   * read: a finished step must not run again; `STORE_UNAVAILABLE` when it cannot be read now.
   * @throws IdempotencyError `RECORD_INVALID`
   */
  read(recordId: string, stored: unknown): Checkpoints;
  /** The record is completed: no later write has its steps. */
  forget(recordId: string): void;
}

interface Packed extends PackedText {
  readonly name: string;
  readonly text: string;
  parts?: Parts | undefined;
}

export function checkpointFormat(table: Table, codec: TextCodec): CheckpointFormat {
  /** What is packed already, by record and step: every write of a record has all its steps. */
  const known = new Map<string, Map<string, Packed>>();
  return { write, read, forget: (id) => void known.delete(id) };

  async function write(
    { id, expiration }: Pick<IdempotencyRecord, 'id' | 'expiration'>,
    checkpoints: Checkpoints,
  ): Promise<StoredCheckpoints> {
    const texts = Object.entries(await checkpointTexts(checkpoints));
    const packed = await Promise.all(texts.map(([name, text]) => pack(id, name, text)));
    const isLarge = packed.reduce((sum, step) => sum + bytesOf(step), 0) > MAX_INLINE_BYTES;
    const stored = packed.map(async (step) => {
      if (isLarge && bytesOf(step) > MIN_ITEM_BYTES) step.parts = await cut(table, id, Buffer.from(step.value));
      await step.parts?.write(expiration);
      return [step.name, storedForm(step)] as const;
    });
    return new Map(await Promise.all(stored));
  }

  function knownOf(id: string): Map<string, Packed> {
    const steps = known.get(id) ?? new Map<string, Packed>();
    known.set(id, steps);
    const [oldest] = known.keys();
    if (known.size > MAX_RECORDS) known.delete(oldest as string);
    return steps;
  }

  async function pack(id: string, name: string, text: string): Promise<Packed> {
    const steps = knownOf(id);
    const earlier = steps.get(name);
    if (earlier?.text === text) return earlier;
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_TEXT_BYTES)
      throw outcomeRefused(`A step's result has ${bytes} bytes, ${MAX_TEXT_BYTES} are allowed.`, false);
    const step = { name, text, ...(await codec.pack(text, { id, label: labelOf(name) })) };
    steps.set(name, step);
    return step;
  }

  function read(id: string, stored: unknown): Checkpoints {
    if (!isObject(stored)) throw unreadable('');
    const unpacking = Object.entries(stored).map(([name, value]) => {
      if (typeof value === 'string') return [name, value] as const;
      const packed = packedOf(name, value);
      const decode = async () => {
        try {
          const parts = 'digest' in packed ? await join(table, id, packed) : undefined;
          const { encoding } = packed;
          const value = parts?.bytes ?? (packed as PackedText).value;
          const text = await codec.unpack({ encoding, value }, { id, label: labelOf(name) });
          // A takeover names the items that are there. They are written again only where they would not last long enough.
          if (parts) knownOf(id).set(name, { name, text, encoding, value, parts });
          return text;
        } catch (error) {
          throw error instanceof IdempotencyError ? error : unreadable(` '${name}'`, error);
        }
      };
      return [name, decode] as const;
    });
    return Object.fromEntries(unpacking);
  }
}

const labelOf = (name: string) => `step ${name}`;

/** What the record itself holds of it. */
function bytesOf({ value, parts }: Packed): number {
  return parts ? 0 : Buffer.byteLength(value);
}

function storedForm({ encoding, value, parts }: Packed): string | PackedCheckpoint {
  if (parts) return { encoding, digest: parts.digest, parts: parts.parts };
  return typeof value === 'string' ? value : { encoding, value };
}

function packedOf(name: string, stored: unknown): PackedCheckpoint {
  const { encoding, value, digest, parts } = (stored ?? {}) as Partial<PackedText & PartsReference>;
  const isNamed = typeof digest === 'string' && typeof parts === 'number';
  if (typeof encoding === 'string' && (value instanceof Uint8Array || isNamed)) return stored as PackedCheckpoint;
  throw unreadable(` '${name}'`);
}

function unreadable(which: string, cause?: unknown): IdempotencyError {
  return recordInvalid(`The record's checkpoints${which} are`, ', or are for another codec.', cause);
}
