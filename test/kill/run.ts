import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createTable } from '../../infra/local/tables.ts';
import type { Feature } from './features.ts';
import { type Judgement, judge } from './judge.ts';
import { kill } from './kill.ts';
import { Lane, type LaneOptions } from './lane.ts';

/** What became of one feature. */
export interface Row extends Judgement {
  readonly feature: string;
  readonly places: number;
}

export interface RunOptions extends Omit<LaneOptions, 'tables'> {
  readonly features: readonly Feature[];
  /** What makes the names of the tables its own. */
  readonly name: string;
  /** How many places are killed at, at a time. */
  readonly lanes: number;
  readonly onRow?: (row: Row) => void;
}

/** Counts the places of each feature, and kills a process at each of them. `stops` gets what ends it early. */
export async function run(options: RunOptions, stops: (() => Promise<unknown>)[] = []): Promise<Row[]> {
  const { endpoint, name, features, compileCache, onRow } = options;
  const client = new DynamoDBClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  stops.push(async () => client.destroy());
  const tables = { records: `${name}-records`, accounts: `${name}-accounts`, payments: `${name}-payments` };
  await createTable(client, { tableName: tables.records, partitionKey: 'id', ttlAttribute: 'expiration' });
  await createTable(client, { tableName: tables.accounts, partitionKey: 'id' });
  await createTable(client, { tableName: tables.payments, partitionKey: 'id' });
  const lanes: Lane[] = [];
  stops.push(() => Promise.all(lanes.map((lane) => lane.close())));
  for (let n = 0; n < options.lanes; n++) lanes.push(await Lane.open({ endpoint, tables, compileCache }));

  const rows: Row[] = [];
  for (const feature of features) {
    const places = await placesOf(feature);
    const queue = [...places];
    const judgements: Judgement[] = [];
    await Promise.all(lanes.map((lane) => work(lane, feature, queue, judgements)));
    const row = { feature: feature.name, places: places.length, ...total(judgements) };
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

  async function work(lane: Lane, feature: Feature, queue: string[], judgements: Judgement[]): Promise<void> {
    for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
      const { story } = await kill({ lane, client, tables }, feature, place);
      judgements.push(judge(feature, story));
    }
  }
}

function isReachedAlways({ least = {} }: Feature, place: string): boolean {
  const [, name = '', times = '1'] = /^(.*?)(?: (\d+))?: /.exec(place) ?? [];
  return Number(times) <= (least[name] ?? Number.POSITIVE_INFINITY);
}

function total(judgements: readonly Judgement[]): Judgement {
  const sum = (name: 'kills' | 'retries' | 'effects' | 'repeated' | 'replays') =>
    judgements.reduce((all, judgement) => all + judgement[name], 0);
  return {
    kills: sum('kills'),
    retries: sum('retries'),
    effects: sum('effects'),
    repeated: sum('repeated'),
    replays: sum('replays'),
    broken: judgements.flatMap(({ broken }) => broken),
  };
}
