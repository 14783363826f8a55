import { notReplayable } from '../../core/record/outcome.ts';
import type { CompletedRecord, StoredOutcome } from '../../core/record/record.ts';
import { IdempotencyError } from '../../errors.ts';
import { unknownEncoding } from './codec.ts';
import type { OutcomeFields } from './item.ts';
import { cut, join, MAX_ITEM_BYTES, type Parts } from './parts.ts';
import type { Table } from './table.ts';
import type { PackedText, TextCodec } from './text-codec.ts';

/**
 * How to read `outcome`: the response as JSON, the thrown error as JSON, or no response
 * (`undefined`). It may also be the reason why the response is not here. Behind the first two
 * stands what was done to the JSON.
 */
const KINDS = { RETURNED: 'json', THREW: 'error+json' } as const;
/** What a codec gets as its label. */
const LABELS = { RETURNED: 'returned', THREW: 'threw' } as const;
const NOTHING = 'undefined';
const NOT_REPLAYABLE = 'not-replayable';

/** Outcomes of any size, and the attributes that hold them. */
export interface OutcomeFormat {
  /**
   * What the record's item says of its outcome. When this resolves, the parts of a large one are
   * written.
   */
  write(record: CompletedRecord): Promise<OutcomeFields>;
  /**
   * An outcome that cannot be read is reported as unreadable. It is never garbage and never
   * nothing: the work is done.
   */
  read(recordId: string, fields: OutcomeFields): Promise<StoredOutcome>;
}

type Ended = Extract<StoredOutcome, { type: keyof typeof LABELS }>;

interface Prepared {
  readonly recordId: string;
  readonly packed: PackedText;
  readonly parts: Parts | undefined;
}

export function outcomeFormat(table: Table, codec: TextCodec): OutcomeFormat {
  // A write is tried again with the same outcome: bytes are packed once, and parts are written once.
  const prepared = new WeakMap<StoredOutcome, Prepared>();
  return { write, read };

  async function write(record: CompletedRecord): Promise<OutcomeFields> {
    const { outcome } = record;
    if (outcome.type === 'UNREADABLE') throw outcome.error;
    if (outcome.type === 'NOT_REPLAYABLE') return { encoding: NOT_REPLAYABLE, outcome: storedReason(outcome.reason) };
    if (outcome.json === undefined) return { encoding: NOTHING };
    const { packed, parts } = await prepare(record.id, outcome, outcome.json);
    const encoding = KINDS[outcome.type] + packed.encoding;
    if (parts === undefined) return { encoding, outcome: packed.value };
    await parts.write(record.expiration);
    return { encoding, digest: parts.digest, parts: parts.parts };
  }

  /** A reason may quote what the handler said: where that is encoded, the table gets none of it. */
  function storedReason(reason: string): string {
    return codec.hidesText ? 'it could not be stored; the event `completed` told why' : reason;
  }

  async function prepare(id: string, outcome: Ended, json: string): Promise<Prepared> {
    const earlier = prepared.get(outcome);
    if (earlier?.recordId === id) return earlier;
    const packed = await codec.pack(json, { id, label: LABELS[outcome.type] });
    if (typeof packed.value === 'string') return { recordId: id, packed, parts: undefined };
    const parts = packed.value.length > MAX_ITEM_BYTES ? await cut(table, id, packed.value) : undefined;
    const made = { recordId: id, packed, parts };
    prepared.set(outcome, made);
    return made;
  }

  async function read(recordId: string, fields: OutcomeFields): Promise<StoredOutcome> {
    const { encoding } = fields;
    if (encoding === NOTHING) return { type: 'RETURNED' };
    if (encoding === NOT_REPLAYABLE)
      return notReplayable(typeof fields.outcome === 'string' ? fields.outcome : 'the record does not say why');
    const type = encoding.startsWith(KINDS.THREW) ? 'THREW' : 'RETURNED';
    if (!encoding.startsWith(KINDS[type])) return { type: 'UNREADABLE', error: unknownEncoding(encoding) };
    try {
      const value = await storedValue(recordId, fields);
      const packed = { encoding: encoding.slice(KINDS[type].length), value };
      return { type, json: await codec.unpack(packed, { id: recordId, label: LABELS[type] }) };
    } catch (error) {
      if (error instanceof IdempotencyError) return { type: 'UNREADABLE', error };
      return notReplayable(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function storedValue(
    recordId: string,
    { outcome, digest, parts }: OutcomeFields,
  ): Promise<string | Uint8Array> {
    if (outcome !== undefined) return outcome;
    if (digest === undefined || parts === undefined) throw new Error('the record has lost it');
    return (await join(table, recordId, { digest, parts })).bytes;
  }
}
