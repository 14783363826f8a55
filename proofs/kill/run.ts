import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { createTable } from '../../tools/tables.ts';
import type { StoreName } from '../lib/lite-store.ts';
import type { Feature } from './features.ts';
import { type Judgement, judge } from './judge.ts';
import { kill } from './kill.ts';
import { Lane, type LaneOptions } from './lane.ts';
import type { Story } from './story.ts';

/** What became of one feature. */
export interface Row extends Sum {
  readonly feature: string;
  readonly store: StoreName;
}

interface Sum extends Omit<Judgement, 'times'> {
  readonly places: number;
}

type Count = Exclude<keyof Sum, 'broken'>;

export interface RunOptions extends Omit<LaneOptions, 'tables'> {
  readonly features: readonly Feature[];
  /** What makes the names of the tables its own. */
  readonly name: string;
  /** How many places are killed at, at a time. */
  readonly lanes: number;
  /** Whether to leave a feature when a promise is broken. @default false */
  readonly untilBroken?: boolean;
  readonly onKill?: (story: Story, judgement: Judgement) => void;
  readonly onRow?: (row: Row) => void;
}

/** Counts the places of each feature, and kills a process at each of them. `stops` gets what ends it early. */
export async function run(options: RunOptions, stops: (() => Promise<unknown>)[] = []): Promise<Row[]> {
  const { endpoint, store, name, features, compileCache, untilBroken = false, onKill, onRow } = options;
  const client = new DynamoDBClient({
    endpoint,
    ...LOCAL_ACCESS,
  });
  stops.push(async () => client.destroy());
  const tables = { records: `${name}-records`, accounts: `${name}-accounts`, payments: `${name}-payments` };
  await createTable(client, { tableName: tables.records, partitionKey: 'id', ttlAttribute: 'expiration' });
  await createTable(client, { tableName: tables.accounts, partitionKey: 'id' });
  await createTable(client, { tableName: tables.payments, partitionKey: 'id' });
  const lanes: Lane[] = [];
  stops.push(() => Promise.all(lanes.map((lane) => lane.close())));
  for (let n = 0; n < options.lanes; n++) lanes.push(await Lane.open({ store, endpoint, tables, compileCache }));

  const rows: Row[] = [];
  for (const feature of features) {
    const places = await placesOf(feature);
    const judged: Sum[] = [];
    let next = 0;
    const isOver = () => next >= places.length || (untilBroken && judged.some(({ broken }) => broken.length > 0));
    const work = async (lane: Lane) => {
      while (!isOver()) {
        const place = next++;
        const { story } = await kill({ lane, client, tables }, feature, places[place]);
        const judgement = judge(feature, story);
        onKill?.(story, judgement);
        judged[place] = { places: 1, ...judgement };
      }
    };
    await Promise.all(lanes.map(work));
    const row = { feature: feature.name, store, ...sumOf(judged) };
    rows.push(row);
    onRow?.(row);
  }
  return rows;

  /** What a process passes that nobody kills. */
  async function placesOf(feature: Feature): Promise<readonly string[]> {
    const [lane] = lanes;
    if (lane === undefined) throw new Error('there is no lane');
    const { reached } = await kill({ lane, client, tables }, feature);
    return reached.filter((place) => isReachedAlways(feature, place));
  }
}

function isReachedAlways({ least = {} }: Feature, place: string): boolean {
  const [, name = '', times = '1'] = /^(.*?)(?: (\d+))?: /.exec(place) ?? [];
  return Number(times) <= (least[name] ?? Number.POSITIVE_INFINITY);
}

/** All of them together. */
export function sumOf(rows: readonly Sum[]): Sum {
  const sum = (name: Count) => rows.reduce((all, row) => all + row[name], 0);
  return {
    places: sum('places'),
    kills: sum('kills'),
    retries: sum('retries'),
    effects: sum('effects'),
    repeated: sum('repeated'),
    replays: sum('replays'),
    broken: rows.flatMap(({ broken }) => broken),
  };
}
