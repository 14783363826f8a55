import { apiResponse } from '../tools/api-responses.ts';
import { context, httpEvent, orderBody } from './event.ts';
import type { DetailTable } from './finding.ts';
import { instantClient, recordedItems } from './instant-client.ts';
import { alternate, cpuMicros, medians } from './rounds.ts';
import { type Handler, ourHandler, peerHandler } from './sides.ts';

const SIZES = [1000, 10_000, 100_000, 1_000_000, 5_000_000];
const BYTES_A_ROUND = 2_000_000;
const TABLE = { tableName: 'idempotency' };
const SIDES = { ours: ourHandler, peer: peerHandler } as const;

/** CPU of a call as its request or its response grows: a real client, no network, all threads of the process. */
export async function growthOfPayload(rounds: number, progress: (text: string) => void): Promise<DetailTable> {
  const rows: (string | number)[][] = [];
  for (const size of SIZES) {
    progress(`payload of ${size} bytes`);
    const request = await cpuOf(rounds, size, () => ({ event: largeEvent(size), respond: undefined }));
    const response = apiResponse(size);
    const first = await cpuOf(rounds, size, () => ({ event: httpEvent('key'), respond: () => response }));
    const replay = await cpuOfReplay(rounds, size, () => response);
    rows.push([size, ...[request, first, replay].flatMap(({ ours, peer }) => [millis(ours), millis(peer)])]);
  }
  return {
    title: 'Growth with the payload: CPU of a call in ms, no network',
    columns: ['bytes', 'large request', 'peer', 'large response', 'peer', 'its replay', 'peer'],
    rows,
  };
}

const millis = (micros: number) => (Number.isNaN(micros) ? '' : (micros / 1000).toFixed(micros < 10_000 ? 2 : 0));

function largeEvent(size: number) {
  return httpEvent('key', orderBody('order-1', 'x'.repeat(size)));
}

async function cpuOf(
  rounds: number,
  size: number,
  make: () => { event: ReturnType<typeof httpEvent>; respond: (() => object) | undefined },
) {
  const { event, respond } = make();
  const options = { ...TABLE, ...(respond !== undefined && { respond }) };
  const handlers = { ours: SIDES.ours(instantClient(), options), peer: SIDES.peer(instantClient(), options) };
  return measured(rounds, size, handlers, event);
}

async function cpuOfReplay(rounds: number, size: number, respond: () => object) {
  const event = httpEvent('key');
  const handlers: Record<string, Handler> = {};
  for (const [side, make] of Object.entries(SIDES)) {
    const items = await recordedItems((client) => make(client, { ...TABLE, respond })(event, context()));
    const item = items.findLast((written) => written['status']?.S === 'COMPLETED');
    // The instant client knows nothing of parts.
    if (item !== undefined && item['parts'] === undefined)
      handlers[side] = make(instantClient({ existing: item }), TABLE);
  }
  const { ours = Number.NaN, peer = Number.NaN } = await measured(rounds, size, handlers, event);
  return { ours, peer };
}

async function measured<Side extends string>(
  rounds: number,
  size: number,
  handlers: Readonly<Record<Side, Handler>>,
  event: ReturnType<typeof httpEvent>,
): Promise<Record<Side, number>> {
  const calls = Math.max(1, Math.min(100, Math.floor(BYTES_A_ROUND / size)));
  const entries = Object.entries<Handler>(handlers);
  const sides = entries.map(([side, handler]) => [side, () => cpuMicros(calls, () => handler(event, context()))]);
  const rounded = Object.fromEntries(sides) as Record<Side, () => Promise<number>>;
  await alternate(1, rounded);
  return medians(await alternate(rounds, rounded));
}
