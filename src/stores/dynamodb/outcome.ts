import type { StoredOutcome } from '../../core/record.ts';
import { compressed, decompressed } from './compression.ts';
import type { OutcomeFields } from './item.ts';

/**
 * How `outcome` is to be read: the response as JSON, the thrown error as JSON, no response (`undefined`), or the reason
 * why the response is not here. `+gzip` behind the first two: compressed.
 */
const KINDS = {
  RETURNED: 'json',
  THREW: 'error+json',
  NOTHING: 'undefined',
  NOT_REPLAYABLE: 'not-replayable',
} as const;
const GZIP = '+gzip';

export async function encodeFields(outcome: StoredOutcome): Promise<OutcomeFields> {
  if (outcome.type === 'NOT_REPLAYABLE') return { encoding: KINDS.NOT_REPLAYABLE, outcome: outcome.reason };
  if (outcome.json === undefined) return { encoding: KINDS.NOTHING };
  const kind = KINDS[outcome.type];
  const packed = await compressed(outcome.json);
  return packed === undefined ? { encoding: kind, outcome: outcome.json } : { encoding: kind + GZIP, outcome: packed };
}

/** That the work is done is certain. What cannot be read is not replayable: never garbage, never an execution. */
export async function decodeFields(fields: OutcomeFields): Promise<StoredOutcome> {
  const { encoding, outcome } = fields;
  if (encoding === KINDS.NOTHING) return { type: 'RETURNED' };
  if (encoding === KINDS.NOT_REPLAYABLE)
    return notReplayable(typeof outcome === 'string' ? outcome : 'the record does not say why');
  const type = encoding.startsWith(KINDS.THREW) ? 'THREW' : 'RETURNED';
  const transformation = encoding.slice(KINDS[type].length);
  if (!encoding.startsWith(KINDS[type]) || (transformation !== '' && transformation !== GZIP)) {
    return notReplayable(`its encoding '${encoding}' is not known to this version`);
  }
  if (outcome === undefined) return notReplayable('the record has lost it');
  try {
    return { type, json: typeof outcome === 'string' && transformation === '' ? outcome : await unpack(outcome) };
  } catch (error) {
    return notReplayable(`it is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }

  async function unpack(value: string | Uint8Array): Promise<string> {
    if (typeof value === 'string') throw new Error('it is text where bytes should be');
    const bytes = transformation === GZIP ? await decompressed(value) : value;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  }
}

function notReplayable(reason: string): StoredOutcome {
  return { type: 'NOT_REPLAYABLE', reason };
}
