import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { findEffects } from './audit.ts';
import type { Feature } from './features.ts';
import type { Lane } from './lane.ts';
import type { Story } from './story.ts';
import type { Answer, Call, Clock, Order, Tables } from './terms.ts';

export interface Stage {
  readonly lane: Lane;
  /** Straight to DynamoDB. */
  readonly client: DynamoDBClient;
  readonly tables: Tables;
}

const SKEW_MILLIS = 1000;
const DUPLICATE_WAIT_MILLIS = 20_000;
const MAX_RETRIES = 4;

/**
 * One process, killed at a place (nowhere, to learn what places there are), and the retries that follow: while its lease
 * is live, when it is over, until there is an outcome, and once more. What it had sent, and what had not arrived, arrives
 * when a retry has the record, and again at the end.
 */
export async function kill(
  { lane, client, tables }: Stage,
  feature: Feature,
  place?: string,
): Promise<{ readonly story: Story; readonly reached: readonly string[] }> {
  const scene = lane.begin();
  const store = dynamoDBStore({ tableName: tables.records, client });
  const order: Order = { id: `${feature.name}, ${place ?? 'alive'}` };
  const common = { type: 'call', feature: feature.name, order } as const;
  let retries = 0;
  let prepared: string | undefined;
  let duplicate: Promise<Answer> | undefined;

  if (feature.prepares) {
    const answer = await lane.retry('prepare', { ...common, by: 'prepare', clock: {}, prepares: true });
    if (answer.kind !== 'returned') throw new Error(`nothing was prepared: ${JSON.stringify(answer)}`);
    prepared = answer.text;
  }
  const { after, waitMillis } = feature;
  if (after !== undefined) {
    await lane.victim(callOf('victim 0', {}), after.killedAt, async () => ({}));
  }
  const clock = after?.untilLeaseIsOver ? { at: (await lease()) ?? Date.now() } : {};
  const call = callOf('victim 1', clock);
  await lane.victim({ ...call, ...(waitMillis !== undefined && { waitMillis }) }, place, beforeKill);
  const { reached } = scene;
  if (place !== undefined) await retry();
  const found = await findEffects(client, tables, feature, order, prepared);
  return { story: { feature: feature.name, place: place ?? '', journal: scene.journal, found }, reached };

  function callOf(by: string, at: Clock): Call {
    return { ...common, by, clock: at, ...(prepared !== undefined && { prepared }) };
  }

  /** When others may take over, `undefined` where nobody holds the record. */
  async function lease(): Promise<number | undefined> {
    const record = scene.recordId === undefined ? undefined : await store.read(scene.recordId);
    if (record?.status !== 'IN_PROGRESS') return undefined;
    return record.leaseUntil + (feature.clockSkewMillis ?? SKEW_MILLIS);
  }

  async function beforeKill(): Promise<{ readonly freeAt?: number }> {
    const freeAt = await lease();
    if (feature.duplicateWaits) {
      duplicate = lane.retry('duplicate', { ...callOf('duplicate', {}), waitMillis: DUPLICATE_WAIT_MILLIS });
      await Promise.race([duplicate, scene.hasRead]);
    }
    return freeAt === undefined ? {} : { freeAt };
  }

  async function retry(): Promise<void> {
    await duplicate;
    const freeAt = await lease();
    if (freeAt !== undefined) await lane.retry('live', callOf('retry live', { at: freeAt - 1, stands: true }));
    for (;;) {
      const at = await lease();
      const now = at === undefined ? {} : { at };
      const answer = await lane.retry('over', callOf(`retry ${++retries}`, now));
      if (answer.kind === 'returned') break;
      if (retries === MAX_RETRIES) return;
      if (answer.kind === 'refused' && answer.code === 'OUTCOME_UNKNOWN') await resolve(now);
    }
    await lane.retry('last', callOf('last', {}));
    if (await scene.arriveLate()) await lane.retry('last', callOf('after the late one', {}));
  }

  /** A person looks at what has happened, and says so. */
  async function resolve(now: Clock): Promise<void> {
    const effect = scene.journal.find((entry) => entry.type === 'effect');
    const response = effect && { charge: { id: effect.id, at: effect.at } };
    const recordId = scene.recordId ?? '';
    const answer = await lane.retry('over', {
      ...{ type: 'resolve', recordId, clock: now },
      ...(response !== undefined && { response }),
    });
    if (answer.kind !== 'returned' || answer.text !== 'done')
      throw new Error(`not resolved: ${JSON.stringify(answer)}`);
  }
}
