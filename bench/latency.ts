import { context, httpEvent } from './event.ts';
import type { Measurement } from './finding.ts';
import { recordedItems } from './instant-client.ts';
import { median, quantile, type Ratio, ratioOf } from './rounds.ts';
import { type SideSpec, withSides } from './side.ts';
import { ourHandler } from './sides.ts';
import type { Local } from './table.ts';

/** Calls that a side makes in one go, before it is the next one's turn. */
const CALLS_A_ROUND = 20;
const WARM_UP_CALLS = 200;

/** A first call and a replay on DynamoDB Local, against the bare writes that they cannot do without. */
export async function measureLatency(
  local: Local,
  calls: number,
  progress: (text: string) => void,
): Promise<Measurement> {
  const { endpoint } = local;
  const tableName = await local.table('latency');
  const orders = await local.table('latency-orders');
  const items = await recordedItems((client) => ourHandler(client, { tableName })(httpEvent('key'), context()));
  const on = { tableName, endpoint, orders, items };
  const guarded = {
    lite: { ...on, side: 'lite' },
    ours: { ...on, side: 'ours' },
    peer: { ...on, side: 'peer' },
  } as const;

  progress('first call');
  const first = await millisOf(calls, 'first', {
    ...guarded,
    sdk: { ...on, side: 'bare SDK' },
    conditional: { ...on, side: 'bare SDK, our conditions' },
    requests: { ...on, side: 'bare requests' },
  });
  progress('replay');
  const put = { ...on, items: items.slice(-1) };
  const replay = await millisOf(calls, 'replay', {
    ...guarded,
    sdk: { ...put, side: 'bare SDK' },
    requests: { ...put, side: 'bare requests' },
  });
  progress('one transaction');
  const one = await millisOf(calls, 'one', {
    transaction: { ...on, side: 'one transaction, lite' },
    peer: { ...on, side: 'peer and a put' },
  });

  const text = (rounds: readonly number[][]) => {
    const millis = rounds.flat();
    return `${median(millis).toFixed(2)} (${quantile(millis, 0.95).toFixed(2)})`;
  };
  const ofPuts = 'of two bare puts by the SDK';
  return {
    subject: 'latency',
    findings: [
      {
        ...{ name: 'p50, first call, lite', unit: ofPuts, target: 0.78 },
        ...p50(first.lite, first.sdk),
        floor: p50(first.requests, first.sdk).value,
      },
      {
        ...{ name: 'p50, `idempotentTransaction`, lite', unit: "of the peer's claim, put and completion", target: 0.6 },
        ...p50(one.transaction, one.peer),
      },
      { ...{ name: 'p50, replay, lite', unit: "of the peer's" }, ...p50(replay.lite, replay.peer) },
      { ...{ name: 'p50, first call, SDK', unit: ofPuts, target: 1.1 }, ...p50(first.ours, first.sdk) },
      { ...{ name: 'p50, first call, SDK', unit: "of the peer's", target: 1 }, ...p50(first.ours, first.peer) },
      {
        ...{ name: 'p50, replay, SDK', unit: 'of one bare put by the SDK', target: 1.1 },
        ...p50(replay.ours, replay.sdk),
      },
      { ...{ name: 'p50, replay, SDK', unit: "of the peer's", target: 1 }, ...p50(replay.ours, replay.peer) },
    ],
    tables: [
      {
        title: `Milliseconds on DynamoDB Local, median of ${calls} calls (95 % are below)`,
        columns: ['', 'lite', 'ours, SDK', 'peer', 'bare requests', 'bare puts, SDK', 'bare puts, SDK, our conditions'],
        rows: [
          [
            'first call',
            ...[first.lite, first.ours, first.peer, first.requests, first.sdk, first.conditional].map(text),
          ],
          ['replay', ...[replay.lite, replay.ours, replay.peer, replay.requests, replay.sdk].map(text), ''],
          ['first call, with one write of its own', text(one.transaction), '', text(one.peer), '', '', ''],
        ],
      },
    ],
  };
}

/** Of the medians of all calls; between what the ratios of the rounds are. */
function p50(side: readonly number[][], other: readonly number[][]): Ratio {
  const { between } = ratioOf(side.map(median), other.map(median));
  return { value: median(side.flat()) / median(other.flat()), between };
}

/** Of each call, in rounds. */
async function millisOf<Name extends string>(
  calls: number,
  what: 'first' | 'replay' | 'one',
  specs: Readonly<Record<Name, SideSpec>>,
): Promise<Record<Name, number[][]>> {
  return withSides(specs, async (sides) => {
    const names = Object.keys(specs) as Name[];
    const measured = Object.fromEntries(names.map((name) => [name, [] as number[][]])) as Record<Name, number[][]>;
    const callsOf = (name: Name, from: number, count: number) => ({ keys: `${what}-${name}`, from, count });
    // A replay finds what these calls have written.
    for (const name of names) await sides[name].call(callsOf(name, 0, WARM_UP_CALLS));
    for (let from = 0; from < calls; from += CALLS_A_ROUND) {
      for (const name of names) {
        const keys = what === 'replay' ? from % WARM_UP_CALLS : WARM_UP_CALLS + from;
        const { millis } = await sides[name].call(callsOf(name, keys, CALLS_A_ROUND));
        measured[name].push([...millis]);
      }
    }
    return measured;
  });
}
