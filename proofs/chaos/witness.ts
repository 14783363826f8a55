import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Copy, DynamoDBAnswer } from '../../test/support/proxy.ts';
import type { HistoryEvent, Seen, Violation } from '../lib/history.ts';
import { type Asked, askedBy, type Write } from './asked.ts';
import type { TrueTime } from './clock.ts';
import { timesOf } from './effects.ts';
import { type Attributes, isSameSeen, seenIn } from './seen.ts';
import { CLOCK_SKEW_MILLIS, keyOfCall } from './terms.ts';

export interface Witness {
  /** What became of every write, in the order in which they took effect. */
  readonly events: HistoryEvent[];
  /** What the database did by itself and must not do. */
  readonly violations: Violation[];
  /** Sends the copy on, when all earlier ones of its record have been answered. */
  deliver(copy: Copy): Promise<DynamoDBAnswer>;
  /** Whether the handlers' own table has what was seen to be written to it. */
  checkEffects(): Promise<void>;
}

/** Stands between the clients and the table, and knows at any time what the table has: one request a record at a time. */
export function createWitness(client: () => DynamoDBClient, tableName: string, time: TrueTime): Witness {
  const events: HistoryEvent[] = [];
  const violations: Violation[] = [];
  const records = new Map<string, Seen>();
  const parts = new Map<string, Uint8Array>();
  const tokens = new Set<string>();
  const effects = new Map<string, number>();
  /** Writes that were broken off when the database died, and when. */
  const unsure = new Map<string, { readonly write: Write; readonly at: number }>();
  const queues = new Map<string, Promise<unknown>>();
  return { events, violations, deliver, checkEffects };

  function deliver(copy: Copy): Promise<DynamoDBAnswer> {
    const asked = askedBy(copy.request, parts);
    if (asked.type === 'part') return deliverPart(asked, copy);
    const turn = (queues.get(asked.id) ?? Promise.resolve()).then(() => send(asked, copy));
    queues.set(
      asked.id,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** What its id names is always the same: whether it is there is all that there is to know. */
  async function deliverPart({ id, bytes }: Extract<Asked, { type: 'part' }>, copy: Copy): Promise<DynamoDBAnswer> {
    const answer = await copy.send();
    if (bytes !== undefined && (answer.status === 200 || isConflict(answer))) parts.set(id, bytes);
    return answer;
  }

  async function send(asked: Exclude<Asked, { type: 'part' }>, copy: Copy): Promise<DynamoDBAnswer> {
    await lookUp(asked.id);
    let answer: DynamoDBAnswer;
    try {
      answer = await copy.send();
    } catch (error) {
      if (asked.type === 'write') unsure.set(asked.id, { write: asked, at: time.now() });
      throw error;
    }
    if (asked.type === 'look') looked(asked, answer, copy.isAwaited());
    else if (answer.status === 200) wrote(asked, time.now(), !copy.isAwaited());
    else if (isConflict(answer)) conflicted(asked, answer.body);
    return answer;
  }

  /** After a write that was broken off: whether it took effect. @throws Error while the database is down */
  async function lookUp(id: string): Promise<void> {
    const broken = unsure.get(id);
    if (broken === undefined) return;
    const { write, at } = broken;
    const command = new GetItemCommand({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item } = await client().send(command);
    const key = keyOfCall(write.call);
    const times = write.effects === 0 ? 0 : (await timesOf(client(), key)) - (effects.get(key) ?? 0);
    unsure.delete(id);
    const found = seenIn(Item as Attributes | undefined, parts);
    const known = records.get(id);
    // TTL may have been there first. A write that took effect although nobody could know is a stray.
    const isGone = found === undefined && known !== undefined && hasExpired(known);
    const tookEffect = isSameSeen(found, write.after) && !isSameSeen(found, known) && !isGone;
    if (tookEffect) wrote({ ...write, effects: times }, at, true);
    else {
      compare(write, found);
      happened(write, at, times);
    }
  }

  function wrote(write: Write, at: number, stray: boolean): void {
    const { id, call, after, token } = write;
    // DynamoDB knows a transaction again, and does nothing.
    if (token !== undefined && tokens.has(token)) return;
    if (token !== undefined) tokens.add(token);
    if (write.isInsert) compare(write, undefined);
    const before = records.get(id);
    events.push({ type: 'wrote', at, call, key: keyOfCall(call), before, after, stray });
    happened(write, at, write.effects);
    if (after === undefined) records.delete(id);
    else records.set(id, after);
  }

  function happened({ call }: Write, at: number, times: number): void {
    const key = keyOfCall(call);
    effects.set(key, (effects.get(key) ?? 0) + times);
    for (let n = 0; n < times; n++) events.push({ type: 'effect', at, call, key });
  }

  function conflicted(write: Write, body: string): void {
    const { CancellationReasons: reasons, Item: item } = JSON.parse(body);
    const own = reasons?.at(-1);
    // Refused because of what the handler wanted to write: it says nothing of the record.
    if (reasons !== undefined && own?.Code !== 'ConditionalCheckFailed') return;
    const found = seenIn(own?.Item ?? item, parts);
    compare(write, found);
    const { call } = write;
    events.push({ type: 'conflicted', at: time.now(), call, key: keyOfCall(call), found });
  }

  function looked(asked: Extract<Asked, { type: 'look' }>, { status, body }: DynamoDBAnswer, isAwaited: boolean): void {
    if (status !== 200) return;
    const found = seenIn(JSON.parse(body).Item, parts);
    compare(asked, found);
    if (isAwaited) events.push({ type: 'looked', at: time.now(), call: asked.call, key: keyOfCall(asked.call), found });
  }

  function hasExpired({ expiresAt }: Seen): boolean {
    return time.now() + CLOCK_SKEW_MILLIS >= expiresAt;
  }

  /** What is found must be what was written last; only TTL may have removed it, once it had expired. */
  function compare({ id, call }: Pick<Write, 'id' | 'call'>, found: Seen | undefined): void {
    const known = records.get(id);
    if (isSameSeen(found, known)) return;
    const at = time.now();
    const key = keyOfCall(call);
    if (known !== undefined && found === undefined && hasExpired(known)) {
      events.push({ type: 'deleted', at, key, before: known });
    } else disagree(`${key}: it had ${say(known)}, and has ${say(found)}`);
    if (found === undefined) records.delete(id);
    else records.set(id, found);
  }

  async function checkEffects(): Promise<void> {
    for (const [key, times] of effects) {
      const found = await timesOf(client(), key);
      if (found !== times) disagree(`${key}: its effect was seen ${times} times, and has happened ${found} times`);
    }
  }

  function disagree(message: string): void {
    violations.push({ promise: 'table', at: time.now(), message });
  }
}

function isConflict({ body }: DynamoDBAnswer): boolean {
  return body.includes('ConditionalCheckFailed');
}

function say(seen: Seen | undefined): string {
  return JSON.stringify(seen) ?? 'nothing';
}
