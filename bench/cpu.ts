import { context, httpEvent } from './event.ts';
import type { Finding, Measurement } from './finding.ts';
import { type Answer, type Item, recordedItems } from './instant-client.ts';
import { type InstantServer, instantServer } from './instant-server.ts';
import { alternate, ratioOf, spread } from './rounds.ts';
import { type Calls, type SideName, type SideSpec, withSides } from './side.ts';
import { ourHandler, peerHandler } from './sides.ts';

const tableName = 'idempotency';
const WARM_UP_ROUNDS = 5;
/** Of the first issue of this package, where each write is a request of the SDK. */
const TARGET_WITH_SDK = 0.35;

type Situation = 'first call' | 'replay';

const LITE_TARGETS: Readonly<Record<Situation, number>> = { 'first call': 0.35, replay: 0.3 };

/** CPU of a whole call over TLS, as in Lambda, and without any client; bare Middy subtracted. */
export async function measureCpu(rounds: number, progress: (text: string) => void): Promise<Measurement> {
  const findings: Finding[] = [];
  const rows: (string | number)[][] = [];
  for (const situation of ['first call', 'replay'] as const) {
    progress(`${situation}, over TLS`);
    const whole = await wholeCalls(situation, rounds);
    findings.push(
      {
        ...{ name: `CPU, ${situation}, lite`, unit: "of the peer's", target: LITE_TARGETS[situation] },
        ...ratioOf(whole.lite, whole.peer, whole.bare),
        floor: ratioOf(whole.requests, whole.peer, whole.bare).value,
      },
      {
        ...{ name: `CPU, ${situation}, SDK`, unit: "of the peer's", target: TARGET_WITH_SDK },
        ...ratioOf(whole.ours, whole.peer, whole.bare),
        floor: ratioOf(whole.sdk, whole.peer, whole.bare).value,
      },
    );
    const { ours, lite, peer, sdk, requests, bare } = whole;
    rows.push([`${situation}, over TLS`, ...[lite, ours, peer, requests, sdk, bare].map((micros) => spread(micros))]);
    progress(`${situation}, without any client`);
    const alone = await guardsAlone(situation, rounds);
    findings.push({
      ...{ name: `CPU, ${situation}, without any client`, unit: "of the peer's" },
      ...(situation === 'first call' && { target: 1 }),
      ...ratioOf(alone.ours, alone.peer, alone.bare),
    });
    const cells = [alone.ours, alone.peer].map((micros) => spread(micros));
    rows.push([`${situation}, without any client`, '', ...cells, '', '', spread(alone.bare)]);
  }
  return {
    subject: 'cpu',
    findings,
    tables: [
      {
        title: 'CPU of a call in µs, each side in a process of its own: median, and the middle half of the rounds',
        columns: ['', 'lite', 'ours, SDK', 'peer', 'bare requests', 'bare calls of the SDK', 'bare Middy'],
        rows,
      },
    ],
  };
}

/** Every side goes to a server of its own, in this process, which answers at once. */
async function wholeCalls(situation: Situation, rounds: number) {
  const items = await writtenItems(situation);
  const servers: InstantServer[] = [];
  const serverOf = async (answer: Answer) => {
    const server = await instantServer(true, answer);
    servers.push(server);
    return server.endpoint;
  };
  try {
    const [forOurs, forPeer] = [await serverOf(items.answers.ours), await serverOf(items.answers.peer)];
    const bare = { tableName, endpoint: forOurs, items: items.put };
    return await micros(rounds, 200, {
      bare: { ...bare, side: 'bare Middy' },
      requests: { ...bare, side: 'bare requests' },
      sdk: { ...bare, side: 'bare SDK' },
      lite: { ...bare, side: 'lite' },
      ours: { ...bare, side: 'ours' },
      peer: { tableName, side: 'peer', endpoint: forPeer },
    });
  } finally {
    for (const server of servers) server.close();
  }
}

async function guardsAlone(situation: Situation, rounds: number) {
  const { answers } = await writtenItems(situation);
  return micros(rounds, 1000, {
    bare: { tableName, side: 'bare Middy' },
    ours: { tableName, side: 'ours', withoutClient: true, ...answers.ours },
    peer: { tableName, side: 'peer', withoutClient: true, ...answers.peer },
  });
}

export interface CpuRatio {
  readonly name: string;
  readonly side: 'lite' | 'ours';
  readonly value: number;
}

/** In short, and without a network: for `check:speed`. */
export async function shortCpuRatios(rounds: number): Promise<CpuRatio[]> {
  const ratios: CpuRatio[] = [];
  for (const situation of ['first call', 'replay'] as const) {
    const { answers } = await writtenItems(situation);
    const { lite, ours, peer } = await micros(rounds, 100, {
      lite: { tableName, side: 'lite', ...answers.ours },
      ours: { tableName, side: 'ours', ...answers.ours },
      peer: { tableName, side: 'peer', ...answers.peer },
    });
    ratios.push(
      { name: `${situation}, lite`, side: 'lite', value: ratioOf(lite, peer).value },
      { name: `${situation}, SDK`, side: 'ours', value: ratioOf(ours, peer).value },
    );
  }
  return ratios;
}

/** CPU of a call of each side, for each round. */
async function micros<Name extends string>(
  rounds: number,
  count: number,
  specs: Readonly<Record<Name, SideSpec>>,
): Promise<Record<Name, number[]>> {
  const calls: Calls = { keys: 'key', from: 0, count };
  return withSides(specs, async (sides) => {
    const names = Object.keys(specs) as Name[];
    const round = (name: Name) => async () => (await sides[name].call(calls)).micros;
    const rounded = Object.fromEntries(names.map((name) => [name, round(name)])) as Record<Name, () => Promise<number>>;
    await alternate(WARM_UP_ROUNDS, rounded);
    return alternate(rounds, rounded);
  });
}

/** What our own guard puts, and what is in the way of a replay. */
async function writtenItems(situation: Situation) {
  const [ours, peer] = [await itemsOf('ours'), await itemsOf('peer')];
  const isFirst = situation === 'first call';
  const answer = (items: readonly Item[]): Answer => (isFirst ? {} : { existing: items.at(-1) ?? {} });
  return {
    put: isFirst ? ours : ours.slice(-1),
    answers: { ours: answer(ours), peer: answer(peer) },
  };
}

function itemsOf(side: SideName & ('ours' | 'peer')): Promise<Item[]> {
  const make = { ours: ourHandler, peer: peerHandler }[side];
  return recordedItems((client) => make(client, { tableName })(httpEvent('key'), context()));
}
