import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { context, httpEvent, RESPONSE } from './event.ts';
import type { Measurement } from './finding.ts';
import { oneWrite, twoWrites } from './floor.ts';
import { type Answer, type Item, instantClient, recordedItems, withInstantSend } from './instant-client.ts';
import { alternate, cpuMicros, median } from './rounds.ts';
import { bareHandler, type Handler, ourHandler, peerHandler } from './sides.ts';

const TARGET = 0.35;
const CALLS = 200;
const EVENTS = 100;
const WARM_UP_ROUNDS = 5;
const TABLE = { tableName: 'idempotency' };

const MAKERS = { ours: ourHandler, peer: peerHandler } as const;
type Side = keyof typeof MAKERS;

/** What is left out of the cost: the network, or all of the SDK. */
type Client = 'a real client, no network' | 'without the SDK';

export interface CpuRatio {
  readonly what: string;
  readonly client: Client;
  readonly ratio: number;
  /** Microseconds for each call; those of the sides without what bare Middy takes. */
  readonly micros: Readonly<Record<Side | 'bare' | 'sdk', number>>;
}

/** CPU of the middleware, bare Middy subtracted: of a first call and of a replay. */
export async function measureCpu(rounds: number, progress: (text: string) => void): Promise<Measurement> {
  const ratios = await cpuRatios(rounds, progress);
  return {
    subject: 'cpu',
    findings: ratios.map(({ what, client, ratio }) => {
      return { name: `CPU, ${what}, ${client}`, value: ratio, unit: "of the peer's", target: TARGET };
    }),
    tables: [
      {
        title: 'CPU of a call in µs, bare Middy subtracted',
        columns: ['', 'ours', 'peer', 'bare calls of the SDK', 'bare Middy'],
        rows: ratios.map(({ what, client, micros: { ours, peer, sdk, bare } }) => {
          return [`${what}, ${client}`, ...[ours, peer, sdk, bare].map((micros) => micros.toFixed(0))];
        }),
      },
    ],
  };
}

export async function cpuRatios(
  rounds: number,
  progress: (text: string) => void = () => undefined,
): Promise<CpuRatio[]> {
  const written = { ours: await writtenBy('ours'), peer: await writtenBy('peer') };
  const stored = { ours: written.ours.at(-1) ?? {}, peer: written.peer.at(-1) ?? {} };
  const situations: ['first call' | 'replay', Readonly<Record<Side, Answer>>][] = [
    ['first call', { ours: {}, peer: {} }],
    ['replay', { ours: { existing: stored.ours }, peer: { existing: stored.peer } }],
  ];
  const ratios: CpuRatio[] = [];
  for (const client of ['a real client, no network', 'without the SDK'] as const) {
    for (const [what, answers] of situations) {
      progress(`${what}, ${client}`);
      const { micros, ratio } = await compare(client, answers, rounds, bareCalls(what, written.ours));
      ratios.push({ what, client, micros, ratio });
    }
  }
  return ratios;
}

async function compare(client: Client, answers: Readonly<Record<Side, Answer>>, rounds: number, sdk: BareCalls) {
  const sides = {
    bare: roundOfBare(),
    sdk: roundOf(sdk, client, answers.ours),
    ours: roundOf(guarded('ours'), client, answers.ours),
    peer: roundOf(guarded('peer'), client, answers.peer),
  };
  await alternate(WARM_UP_ROUNDS, sides);
  const measured = await alternate(rounds, sides);
  const bare = median(measured.bare);
  const above = (numbers: readonly number[]) => median(numbers) - bare;
  const micros = { bare, ours: above(measured.ours), peer: above(measured.peer), sdk: above(measured.sdk) };
  return { micros, ratio: micros.ours / micros.peer };
}

function roundOfBare() {
  const handler = bareHandler();
  return () => round(handler);
}

/** A handler, on this client. */
type BareCalls = (client: DynamoDBClient) => Handler;

const guarded =
  (side: Side): BareCalls =>
  (client) =>
    MAKERS[side](client, TABLE);

/** What is left when nothing but the requests is made that we make. */
function bareCalls(what: 'first call' | 'replay', items: readonly Item[]): BareCalls {
  return (client) => (what === 'first call' ? twoWrites : oneWrite)(client, TABLE.tableName, items);
}

function roundOf(make: BareCalls, client: Client, answer: Answer) {
  if (client === 'without the SDK') {
    let handler: Handler | undefined;
    return () =>
      withInstantSend(answer, (instant) => {
        handler ??= make(instant);
        return round(handler);
      });
  }
  const handler = make(instantClient(answer));
  return () => round(handler);
}

const events = Array.from({ length: EVENTS }, (_, index) => httpEvent(`key-${index}`));

async function round(handler: Handler): Promise<number> {
  const call = (index: number) => handler(events[index % EVENTS] ?? httpEvent('key'), context());
  const answer = await call(0);
  // A side that fails would be fast.
  if (JSON.stringify(answer) !== JSON.stringify(RESPONSE)) throw new Error('a side answers something else');
  return cpuMicros(CALLS, call);
}

/** What the table holds after each of the side's own writes. */
function writtenBy(side: Side): Promise<Item[]> {
  return recordedItems((client) => MAKERS[side](client, TABLE)(httpEvent('key'), context()));
}
