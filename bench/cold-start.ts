import { type Bundle, bundle } from './bundle.ts';
import type { Finding, Measurement } from './finding.ts';
import { median, ratioOf } from './rounds.ts';
import { type Start, startAll } from './starts.ts';

const NAMES = {
  middy: 'bare Middy',
  raw: 'two bare puts by `node:https`',
  lite: 'lite',
  litePrimed: 'lite, `await store.prime()`',
  floor: 'two bare puts by the SDK',
  ours: 'ours, SDK',
  lean: 'ours, SDK, with the recipe',
  primed: 'ours, SDK, `await store.prime()`',
  compiled: 'ours, SDK, a compile cache that is filled',
  peer: 'peer, SDK',
  oursExternal: 'ours, SDK external',
  peerExternal: 'peer, SDK external',
} as const;

type Name = keyof typeof NAMES;

/** What adds to a handler that has a client anyway. */
const WITH_SDK: readonly Name[] = ['floor', 'ours', 'peer', 'oursExternal', 'peerExternal'];

/** What a fresh process takes until it has imported a bundle, and until its first answer, over TLS as in Lambda. */
export async function measureColdStart(runs: number, progress: (text: string) => void): Promise<Measurement> {
  progress('bundles');
  const bundles = await allBundles();
  const starts = await startAll({ ...bundles, compiled: { ...bundles.ours, compileCache: true } }, runs, progress);
  const of = (name: Name, what: keyof Start) => starts[name].map((start) => start[what]);
  const ratio = (name: Name, other: Name, what: keyof Start, base?: Name) =>
    ratioOf(of(name, what), of(other, what), base && of(base, what));
  const finding = (name: string, target: number) => ({ name: `Cold start, ${name}`, unit: "of the peer's", target });
  const [base, baseExternal] = [await bundle('base', 'bundled'), await bundle('base', 'external')];
  const bytesAdded = (name: Name, other: Name, { bytes }: Bundle) =>
    (bundles[name as 'ours'].bytes - bytes) / (bundles[other as 'peer'].bytes - bytes);

  const findings: Finding[] = [
    {
      ...finding("import, above Middy's, lite", 0.2),
      ...ratio('lite', 'peer', 'import', 'middy'),
      floor: ratio('raw', 'peer', 'import', 'middy').value,
    },
    {
      ...finding("import and first answer, above Middy's, lite", 0.38),
      ...ratio('lite', 'peer', 'answer', 'middy'),
      floor: ratio('raw', 'peer', 'answer', 'middy').value,
    },
    {
      ...finding('bytes of the whole bundle, lite', 0.2),
      value: bundles.lite.bytes / bundles.peer.bytes,
      floor: bundles.raw.bytes / bundles.peer.bytes,
    },
    {
      ...finding('import and first answer, SDK, with the recipe', 0.76),
      ...ratio('lean', 'peer', 'answer'),
    },
    { ...finding('import, SDK', 1), ...ratio('ours', 'peer', 'import') },
    { ...finding('import and first answer, SDK', 1), ...ratio('ours', 'peer', 'answer') },
    { ...finding('bytes added, SDK', 1), value: bytesAdded('ours', 'peer', base) },
    { ...finding('import, SDK external', 1), ...ratio('oursExternal', 'peerExternal', 'import') },
    { ...finding('import and first answer, SDK external', 1), ...ratio('oursExternal', 'peerExternal', 'answer') },
    {
      ...finding('bytes added, SDK external', 1),
      value: bytesAdded('oursExternal', 'peerExternal', baseExternal),
    },
  ];
  const rows = (Object.keys(NAMES) as Name[]).map((name) => {
    const { bytes, gzipped } = bundles[name === 'compiled' ? 'ours' : name];
    const [imported, answered] = [median(of(name, 'import')), median(of(name, 'answer'))];
    const cpu = [median(of(name, 'importCpu')), median(of(name, 'answerCpu'))];
    const times = [imported, answered - imported, answered, ...cpu, median(of(name, 'residentMegabytes'))];
    const without = name.endsWith('External') ? baseExternal : base;
    const added = WITH_SDK.includes(name) ? bytes - without.bytes : '';
    return [NAMES[name], bytes, added, gzipped, ...times.map((value) => value.toFixed(0))];
  });
  return {
    subject: 'cold start',
    findings,
    tables: [
      {
        title: `Cold start, over TLS: milliseconds in a fresh process, median of ${runs}`,
        columns: [
          ...['', 'bytes', 'added to Middy and a client', 'gzip', 'import', 'first answer after it', 'both'],
          ...['CPU of import', 'CPU of both', 'MB resident'],
        ],
        rows,
      },
    ],
  };
}

async function allBundles() {
  const entries = ['middy', 'raw', 'lite', 'litePrimed', 'floor', 'ours', 'primed', 'peer'] as const;
  const made = await Promise.all(entries.map(async (entry) => [entry, await bundle(entry, 'bundled')] as const));
  return {
    ...(Object.fromEntries(made) as Record<(typeof entries)[number], Bundle>),
    lean: await bundle('ours', 'bundled', { isLean: true }),
    oursExternal: await bundle('ours', 'external'),
    peerExternal: await bundle('peer', 'external'),
  };
}
