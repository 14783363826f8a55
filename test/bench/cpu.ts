import { context, httpEvent, RESPONSE } from './event.ts';
import type { Measurement } from './finding.ts';
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
  readonly micros: Readonly<Record<Side | 'bare', number>>;
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
        columns: ['', 'ours', 'peer', 'bare Middy'],
        rows: ratios.map(({ what, client, micros: { ours, peer, bare } }) => {
          return [`${what}, ${client}`, ...[ours, peer, bare].map((micros) => micros.toFixed(0))];
        }),
      },
    ],
  };
}

export async function cpuRatios(
  rounds: number,
  progress: (text: string) => void = () => undefined,
): Promise<CpuRatio[]> {
  const stored = { ours: await storedBy('ours'), peer: await storedBy('peer') };
  const situations: [string, Readonly<Record<Side, Answer>>][] = [
    ['first call', { ours: {}, peer: {} }],
    ['replay', { ours: { existing: stored.ours }, peer: { existing: stored.peer } }],
  ];
  const ratios: CpuRatio[] = [];
  for (const client of ['a real client, no network', 'without the SDK'] as const) {
    for (const [what, answers] of situations) {
      progress(`${what}, ${client}`);
      const { micros, ratio } = await compare(client, answers, rounds);
      ratios.push({ what, client, micros, ratio });
    }
  }
  return ratios;
}

async function compare(client: Client, answers: Readonly<Record<Side, Answer>>, rounds: number) {
  const sides = { bare: roundOfBare(), ours: roundOf('ours', client, answers), peer: roundOf('peer', client, answers) };
  await alternate(WARM_UP_ROUNDS, sides);
  const measured = await alternate(rounds, sides);
  const bare = median(measured.bare);
  const micros = { bare, ours: median(measured.ours) - bare, peer: median(measured.peer) - bare };
  return { micros, ratio: micros.ours / micros.peer };
}

function roundOfBare() {
  const handler = bareHandler();
  return () => round(handler);
}

function roundOf(side: Side, client: Client, answers: Readonly<Record<Side, Answer>>) {
  if (client === 'without the SDK') {
    let handler: Handler | undefined;
    return () =>
      withInstantSend(answers[side], (instant) => {
        handler ??= MAKERS[side](instant, TABLE);
        return round(handler);
      });
  }
  const handler = MAKERS[side](instantClient(answers[side]), TABLE);
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

/** What a replay finds in the table, written by the side itself. */
async function storedBy(side: Side): Promise<Item> {
  const items = await recordedItems((client) => MAKERS[side](client, TABLE)(httpEvent('key'), context()));
  return items.at(-1) ?? {};
}
