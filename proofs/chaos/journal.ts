import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { HistoryEvent } from '../lib/history.ts';

/** What a process writes down: what happened, and how long its event loop was held up at the worst. */
export type Entry = HistoryEvent | { readonly type: 'heldUp'; readonly millis: number };

export type Journal = (entry: Entry) => void;

/** An append-only file outside of DynamoDB. A line is written at once, so that it outlives a SIGKILL of its process. */
export function openJournal(path: string): Journal {
  const file = openSync(path, 'a');
  return (entry) => void writeSync(file, `${JSON.stringify(entry)}\n`);
}

/** What was written; a last line that a kill has cut off was not. A process may be killed before it has begun. */
export function readJournal(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}
