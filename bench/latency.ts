import { context, httpEvent } from './event.ts';
import type { Measurement } from './finding.ts';
import { oneWrite, twoConditionalWrites, twoWrites } from './floor.ts';
import { recordedItems } from './instant-client.ts';
import { alternate, elapsedMillis, median, quantile } from './rounds.ts';
import { type Handler, ourHandler, peerHandler } from './sides.ts';
import type { Local } from './table.ts';

const TARGET_OF_FLOOR = 1.1;
const WARM_UP = 200;

/** A first call and a replay on DynamoDB Local, against the bare writes that they cannot do without. */
export async function measureLatency(
  local: Local,
  calls: number,
  progress: (text: string) => void,
): Promise<Measurement> {
  const tableName = await local.table('latency');
  const clients = { floor: local.client(), conditional: local.client(), ours: local.client(), peer: local.client() };
  const items = await recordedItems((client) => ourHandler(client, { tableName })(httpEvent('key'), context()));
  const guarded = { ours: ourHandler(clients.ours, { tableName }), peer: peerHandler(clients.peer, { tableName }) };

  progress('first call');
  const first = await compare(
    {
      floor: twoWrites(clients.floor, tableName, items),
      conditional: twoConditionalWrites(clients.conditional, tableName, items),
      ...guarded,
    },
    calls,
    (n) => `first-${n}`,
  );
  progress('replay');
  const keys = (index: number) => `first-${index % calls}`;
  const replay = await compare({ floor: oneWrite(clients.floor, tableName, items), ...guarded }, calls, keys);
  for (const client of Object.values(clients)) client.destroy();

  return {
    subject: 'latency',
    findings: [
      {
        name: 'Latency, first call',
        value: first.ours / first.floor,
        unit: 'of two bare writes',
        target: TARGET_OF_FLOOR,
      },
      { name: 'Latency, first call', value: first.ours / first.peer, unit: "of the peer's", target: 1 },
      {
        name: 'Latency, replay',
        value: replay.ours / replay.floor,
        unit: 'of one bare write',
        target: TARGET_OF_FLOOR,
      },
      { name: 'Latency, replay', value: replay.ours / replay.peer, unit: "of the peer's", target: 1 },
    ],
    tables: [
      {
        title: `Milliseconds on DynamoDB Local, median of ${calls} calls (95 % are below)`,
        columns: ['', 'ours', 'peer', 'bare writes', 'bare writes with our conditions'],
        rows: [
          ['first call', first.texts.ours, first.texts.peer, first.texts.floor, first.texts.conditional],
          ['replay', replay.texts.ours, replay.texts.peer, replay.texts.floor, replay.texts.floor],
        ],
      },
    ],
  };
}

async function compare<Side extends string>(
  handlers: Readonly<Record<Side, Handler>>,
  calls: number,
  keyOf: (index: number) => string,
) {
  const sides = Object.entries(handlers) as [Side, Handler][];
  const callOf = (handler: Handler) => (round: number) => {
    const event = httpEvent(keyOf(round));
    const invocation = context();
    return elapsedMillis(() => handler(event, invocation));
  };
  const rounds = Object.fromEntries(sides.map(([side, handler]) => [side, callOf(handler)]));
  const warm = Object.fromEntries(
    sides.map(([side, handler]) => [side, (round: number) => callOf(handler)(-1 - round)]),
  );
  await alternate(WARM_UP, warm);
  const measured = await alternate(calls, rounds);
  const texts = Object.entries(measured).map(([side, millis]) => {
    return [side, `${median(millis).toFixed(2)} (${quantile(millis, 0.95).toFixed(2)})`];
  });
  const middle = Object.entries(measured).map(([side, millis]) => [side, median(millis)]);
  return {
    ...(Object.fromEntries(middle) as Record<Side, number>),
    texts: Object.fromEntries(texts) as Record<Side, string>,
  };
}
