import { apiResponse } from '../tools/api-responses.ts';
import { context, httpEvent } from './event.ts';
import type { DetailTable, Finding, Measurement } from './finding.ts';
import { type Item, recordedItems } from './instant-client.ts';
import { alternate, median, ratioOf } from './rounds.ts';
import { type SideName, type SideSpec, withSides } from './side.ts';
import { ourHandler, peerHandler } from './sides.ts';

const SIZES = [1000, 10_000, 100_000, 1_000_000, 5_000_000] as const;
const TARGET_SIZES: readonly number[] = [100_000, 5_000_000];
const NAMES: Readonly<Record<number, string>> = { 100000: '100 KB', 5000000: '5 MB' };
const BYTES_A_ROUND = 5_000_000;
const WARM_UP_ROUNDS = 3;

const tableName = 'idempotency';
const GUARDS = ['lite', 'ours', 'peer'] as const satisfies readonly SideName[];
type Guard = (typeof GUARDS)[number];
type Micros = Readonly<Record<Guard, readonly number[]>>;

/** CPU of a call as its request or its response grows: a real client, no network, all threads of the process. */
export async function measurePayload(rounds: number, progress: (text: string) => void): Promise<Measurement> {
  const rows: (string | number)[][] = [];
  const findings: Finding[] = [];
  for (const size of SIZES) {
    progress(`${size} bytes`);
    const request = await cpuOf(rounds, size, () => ({ requestBytes: size }));
    const response = await cpuOf(rounds, size, () => ({ responseBytes: size }));
    const existing = { ours: await itemOf('ours', size), peer: await itemOf('peer', size) };
    const replay = await cpuOf(rounds, size, (side) => {
      const item = existing[side === 'peer' ? 'peer' : 'ours'];
      // The client without a network knows nothing of parts.
      return item['parts'] === undefined ? { responseBytes: size, existing: item } : undefined;
    });
    const cells = [request, response, replay].flatMap((micros) => GUARDS.map((side) => millis(micros[side])));
    rows.push([size, ...cells]);
    if (TARGET_SIZES.includes(size)) {
      for (const side of ['lite', 'ours'] as const) {
        findings.push({
          name: `CPU, response of ${NAMES[size]}, no network, ${side === 'lite' ? 'lite' : 'SDK'}`,
          unit: "of the peer's",
          target: 1,
          ...ratioOf(response[side], response.peer),
        });
      }
    }
  }
  const columns = [
    'bytes',
    ...['large request', 'large response', 'its replay'].flatMap((what) => [`${what}: lite`, 'ours, SDK', 'peer']),
  ];
  const table: DetailTable = { title: 'Growth with the payload: CPU of a call in ms, no network', columns, rows };
  return { subject: 'payload', findings, tables: [table] };
}

function millis(micros: readonly number[]): string {
  return micros.length === 0 ? '' : (median(micros) / 1000).toFixed(median(micros) < 10_000 ? 2 : 0);
}

async function cpuOf(
  rounds: number,
  size: number,
  specOf: (side: Guard) => Partial<SideSpec> | undefined,
): Promise<Micros> {
  const specs: Partial<Record<Guard, SideSpec>> = {};
  for (const side of GUARDS) {
    const spec = specOf(side);
    if (spec !== undefined) specs[side] = { side, tableName, ...spec };
  }
  const count = Math.max(1, Math.min(100, Math.floor(BYTES_A_ROUND / size)));
  return withSides(specs as Record<Guard, SideSpec>, async (sides) => {
    const round = (side: Guard) => async () => (await sides[side].call({ keys: 'key', from: 0, count })).micros;
    const rounded = Object.fromEntries(Object.keys(specs).map((side) => [side, round(side as Guard)]));
    await alternate(WARM_UP_ROUNDS, rounded);
    const measured = await alternate(rounds, rounded);
    return { lite: [], ours: [], peer: [], ...measured };
  });
}

/** What is in the way of a replay. */
async function itemOf(side: 'ours' | 'peer', size: number): Promise<Item> {
  const options = { tableName, respond: () => apiResponse(size) };
  const make = { ours: ourHandler, peer: peerHandler }[side];
  const items = await recordedItems((client) => make(client, options)(httpEvent('key'), context()));
  return items.findLast((written) => written['status']?.S === 'COMPLETED') ?? {};
}
