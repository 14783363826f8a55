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

/** The default of the option `clockSkewMillis`. */
const SKEW_MILLIS = 1000;
/** How long somebody waits who has to. */
const WAITED_MILLIS = 300;
/** How long he would. */
const WAIT_MILLIS = 20_000;
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
  const scene = lane.begin(feature);
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
  const { after } = feature;
  if (after !== undefined) {
    await lane.victim(callOf('victim 0', {}), after.killedAt, async () => ({}));
  }
  const clock = after === undefined ? {} : await (after.waits ? shortlyBeforeEnd() : atEnd());
  const call = callOf('victim 1', clock);
  const answer = await lane.victim(
    { ...call, ...(after?.waits && { waitMillis: WAIT_MILLIS }) },
    place,
    startDuplicate,
  );
  // A transaction whose answer was lost is unavailable: a retry finds out.
  const mayBeRefused = feature.losesAnswer === true;
  if (place === undefined && (answer === undefined || (answer.kind === 'refused' && !mayBeRefused))) {
    throw new Error(`${feature.name} does not come to its end: ${JSON.stringify(answer)}`);
  }
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
    return record.leaseUntil + SKEW_MILLIS;
  }

  /** The clock of somebody who may take over at once. */
  async function atEnd(): Promise<Clock> {
    const at = await lease();
    return at === undefined ? {} : { at };
  }

  /** The clock of somebody who has to wait, but not for long, however busy the machine is. */
  async function shortlyBeforeEnd(): Promise<Clock> {
    const at = await lease();
    return at === undefined ? {} : { at: at - WAITED_MILLIS, goes: 'when it has looked' };
  }

  async function startDuplicate(): Promise<{ readonly freeAt?: number }> {
    if (!feature.duplicateWaits) return {};
    const asked = callOf('duplicate', await shortlyBeforeEnd());
    duplicate = lane.retry('duplicate', { ...asked, waitMillis: WAIT_MILLIS });
    const lookedAt = await Promise.race([duplicate, scene.looked]);
    return typeof lookedAt === 'number' ? { freeAt: lookedAt + WAITED_MILLIS } : {};
  }

  async function retry(): Promise<void> {
    await duplicate;
    const freeAt = await lease();
    if (freeAt !== undefined) await lane.retry('live', callOf('retry live', { at: freeAt - 1, goes: 'never' }));
    for (;;) {
      const now = await atEnd();
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
