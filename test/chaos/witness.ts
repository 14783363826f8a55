import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { HistoryEvent, Seen, Violation } from '../support/history.ts';
import type { Copy, DynamoDBAnswer } from '../support/proxy.ts';
import type { TrueTime } from './clock.ts';
import { type Attributes, isSameSeen, seenIn, type Write, writeOf } from './seen.ts';
import { CLOCK_SKEW_MILLIS, keyOfCall } from './terms.ts';

export interface Witness {
  /** What became of every write, in the order in which they took effect. */
  readonly events: HistoryEvent[];
  /** What the database did by itself and must not do. */
  readonly violations: Violation[];
  /** Sends the copy on, when all earlier ones of its record have been answered. */
  deliver(copy: Copy): Promise<DynamoDBAnswer>;
}

/** Stands between the clients and the table, and knows at any time what the table has: one request a record at a time. */
export function createWitness(client: () => DynamoDBClient, tableName: string, time: TrueTime): Witness {
  const events: HistoryEvent[] = [];
  const violations: Violation[] = [];
  const records = new Map<string, Seen>();
  /** Writes that were broken off when the database died, and when. */
  const unsure = new Map<string, { readonly write: Write; readonly at: number }>();
  const queues = new Map<string, Promise<unknown>>();
  return { events, violations, deliver };

  function deliver(copy: Copy): Promise<DynamoDBAnswer> {
    const write = writeOf(copy.request);
    const turn = (queues.get(write.id) ?? Promise.resolve()).then(() => send(write, copy));
    queues.set(
      write.id,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async function send(write: Write, copy: Copy): Promise<DynamoDBAnswer> {
    await lookUp(write.id);
    let answer: DynamoDBAnswer;
    try {
      answer = await copy.send();
    } catch (error) {
      unsure.set(write.id, { write, at: time.now() });
      throw error;
    }
    if (answer.status === 200) wrote(write, time.now(), !copy.isAwaited());
    else if (answer.body.includes('ConditionalCheckFailedException')) conflicted(write, answer.body);
    return answer;
  }

  /** After a write that was broken off: whether it took effect. @throws Error while the database is down */
  async function lookUp(id: string): Promise<void> {
    const broken = unsure.get(id);
    if (broken === undefined) return;
    const command = new GetItemCommand({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item } = await client().send(command);
    unsure.delete(id);
    const found = seenIn(Item as Attributes | undefined);
    const known = records.get(id);
    // TTL may have been there first. A write that took effect although nobody could know is a stray.
    const isGone = found === undefined && known !== undefined && hasExpired(known);
    const tookEffect = isSameSeen(found, broken.write.after) && !isSameSeen(found, known) && !isGone;
    if (tookEffect) wrote(broken.write, broken.at, true);
    else compare(broken.write, found);
  }

  function wrote(write: Write, at: number, stray: boolean): void {
    const { id, call, after } = write;
    if (write.isInsert) compare(write, undefined);
    const before = records.get(id);
    events.push({ type: 'wrote', at, call, key: keyOfCall(call), before, after, stray });
    if (after === undefined) records.delete(id);
    else records.set(id, after);
  }

  function conflicted(write: Write, body: string): void {
    const found = seenIn(JSON.parse(body).Item);
    compare(write, found);
    const { call } = write;
    events.push({ type: 'conflicted', at: time.now(), call, key: keyOfCall(call), found });
  }

  function hasExpired({ expiresAt }: Seen): boolean {
    return time.now() + CLOCK_SKEW_MILLIS >= expiresAt;
  }

  /** What is found must be what was written last; only TTL may have removed it, once it had expired. */
  function compare({ id, call }: Write, found: Seen | undefined): void {
    const known = records.get(id);
    if (isSameSeen(found, known)) return;
    const at = time.now();
    const key = keyOfCall(call);
    if (known !== undefined && found === undefined && hasExpired(known)) {
      events.push({ type: 'deleted', at, key, before: known });
    } else {
      const say = (seen: Seen | undefined) => JSON.stringify(seen) ?? 'nothing';
      violations.push({ promise: 'table', at, message: `${key}: it had ${say(known)}, and has ${say(found)}` });
    }
    if (found === undefined) records.delete(id);
    else records.set(id, found);
  }
}
