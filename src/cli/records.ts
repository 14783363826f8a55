import type { IdempotencyRecord, RecordStore } from '../index.ts';
import { isoTime } from '../operator/describe.ts';
import {
  completeRecord,
  describeRecord,
  type RecordDescription,
  type Resolution,
  type ResolveOptions,
  releaseRecord,
} from '../operator/index.ts';
import type { Given } from './arguments.ts';
import { EXIT, Failure, parseJson, usageFailure } from './failure.ts';
import { recordText } from './format.ts';
import type { Report } from './report.ts';
import { withStore } from './table.ts';
import type { Terminal } from './terminal.ts';

export function show(id: string, given: Given, terminal: Terminal): Promise<Report> {
  return withStore(given, async (store) => {
    const withOutcome = given.outcome === true;
    const record = describeRecord(await existing(store, id), terminal.now(), { withOutcome });
    return { json: { record }, text: recordText(record) };
  });
}

export function release(id: string, given: Given, terminal: Terminal): Promise<Report> {
  const question = () => 'Release it, so that the next request with this key executes?';
  return resolve(id, given, terminal, question, releaseRecord);
}

export async function complete(id: string, given: Given, terminal: Terminal): Promise<Report> {
  const { response: file, 'no-response': none = false } = given;
  if ((file === undefined) !== none) throw usageFailure('either --response FILE or --no-response is required');
  if (file === '-' && given.yes !== true) {
    throw usageFailure('--response - reads the standard input, so the command cannot ask there: add --yes');
  }
  const text = file === undefined ? undefined : await terminal.read(file);
  const response = text === undefined ? undefined : parseJson('the response', text);
  const what = response === undefined ? 'undefined' : `${Buffer.byteLength(JSON.stringify(response))} bytes of JSON`;
  const question = (until: string) => `Complete it, so that retries get this response (${what}) until ${until}?`;
  return resolve(id, given, terminal, question, (store, recordId, expected, options) =>
    completeRecord(store, recordId, expected, response, options),
  );
}

async function resolve(
  id: string,
  given: Given,
  terminal: Terminal,
  question: (until: string) => string,
  write: (store: RecordStore, id: string, expected: IdempotencyRecord, options: ResolveOptions) => Promise<Resolution>,
): Promise<Report> {
  const { force, 'retention-seconds': kept } = given;
  const retentionSeconds = kept === undefined ? undefined : parseSeconds(kept);
  return withStore(given, async (store) => {
    const found = await existing(store, id);
    const shown = describeRecord(found, terminal.now());
    if (shown.state === 'running' && force !== found.owner) throw live(shown);
    const seconds = retentionSeconds ?? Math.max(DAY_SECONDS, Math.ceil(found.expiration - terminal.now() / 1000));
    await confirm(terminal, given.yes === true, shown, question(isoTime(terminal.now() + seconds * 1000)));
    const options = {
      ...(retentionSeconds !== undefined && { retentionSeconds }),
      ...(force !== undefined && { force }),
    };
    const resolution = await write(store, id, found, options);
    const describe = (record: IdempotencyRecord) => describeRecord(record, terminal.now());
    switch (resolution.kind) {
      case 'done': {
        const record = describe(resolution.record);
        return { json: { record }, text: recordText(record) };
      }
      case 'notFound':
        throw notFound(id);
      case 'changed':
        throw new Failure(EXIT.failed, 'RECORD_CHANGED', 'The record has changed meanwhile. Nothing was written.', {
          advice: 'Look again: it may be settled, or another execution may have begun.',
          details: { record: describe(resolution.existing) },
        });
      case 'live':
        throw live(describe(resolution.existing));
      case 'settled':
        throw new Failure(EXIT.refused, 'RECORD_SETTLED', 'The record is settled. Nothing was written.', {
          details: { record: describe(resolution.existing) },
        });
    }
  });
}

async function confirm(terminal: Terminal, yes: boolean, shown: RecordDescription, question: string): Promise<void> {
  if (yes) return;
  if (terminal.ask === undefined) {
    throw new Failure(EXIT.refused, 'NOT_CONFIRMED', 'There is no terminal to ask at. Nothing was written.', {
      advice: 'Look at the record first (show), then add --yes.',
      details: { record: shown },
    });
  }
  terminal.tell(`${recordText(shown)}\n`);
  if (shown.state === 'running') {
    terminal.tell('Its lease is live: its execution may be running, and is overruled.\n');
  }
  const answer = await terminal.ask(`${question} Type yes: `);
  if (answer.trim().toLowerCase() === 'yes') return;
  throw new Failure(EXIT.refused, 'NOT_CONFIRMED', 'Not confirmed. Nothing was written.');
}

function live(record: RecordDescription): Failure {
  return new Failure(
    EXIT.refused,
    'LEASE_LIVE',
    'The lease is live: the execution may be running. Nothing was written.',
    {
      advice: `Wait until ${record.lease?.until}, or overrule its owner with --force ${record.owner}.`,
      details: { record },
    },
  );
}

async function existing(store: RecordStore, id: string): Promise<IdempotencyRecord> {
  const record = await store.read(id);
  if (record === undefined) throw notFound(id);
  return record;
}

function notFound(id: string): Failure {
  return new Failure(EXIT.notFound, 'RECORD_NOT_FOUND', `There is no record ${id} in this table.`);
}

/** The same as in `releaseRecord` and `completeRecord`. */
const DAY_SECONDS = 86_400;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds <= 0) {
    throw usageFailure('--retention-seconds must be a number above 0');
  }
  return seconds;
}
