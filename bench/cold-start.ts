import { bundle, type Sdk } from './bundle.ts';
import type { DetailTable, Finding, Measurement } from './finding.ts';
import { median } from './rounds.ts';
import { type Start, startAll } from './starts.ts';

const ENTRIES = ['base', 'floor', 'ours', 'peer'] as const;
const SDKS = ['bundled', 'external'] as const;

const NAMES: Readonly<Record<(typeof ENTRIES)[number], string>> = {
  base: 'Middy and a client, no call',
  floor: 'two bare puts',
  ours: 'ours',
  peer: 'peer',
};

/** What a bundle grows by, and what a fresh process takes until it has imported it, and until its first answer. */
export async function measureColdStart(runs: number, progress: (text: string) => void): Promise<Measurement> {
  const findings: Finding[] = [];
  const rows: (string | number)[][] = [];
  for (const sdk of SDKS) {
    progress(`SDK ${sdk}`);
    const bundles = await bundlesWith(sdk);
    const starts = await startAll(bundles, runs);
    const added = (entry: (typeof ENTRIES)[number]) => bundles[entry].bytes - bundles.base.bytes;
    const against = (what: keyof Start) => medianOf(starts.ours, what) / medianOf(starts.peer, what);
    findings.push(
      finding(`Cold start, bytes added, SDK ${sdk}`, added('ours') / added('peer')),
      finding(`Cold start, import, SDK ${sdk}`, against('import')),
      finding(`Cold start, import and first answer, SDK ${sdk}`, against('answer')),
    );
    for (const entry of ENTRIES) {
      const millis = (['import', 'answer', 'importCpu', 'answerCpu'] as const).map((what) =>
        medianOf(starts[entry], what).toFixed(0),
      );
      const sizes = [bundles[entry].bytes, entry === 'base' ? '' : added(entry), bundles[entry].gzipped];
      const megabytes = medianOf(starts[entry], 'residentMegabytes').toFixed(0);
      rows.push([`${NAMES[entry]}, SDK ${sdk}`, ...sizes, ...millis, megabytes]);
    }
  }
  progress('without the SDK');
  const lite = await withoutSdk(runs);
  findings.push(...lite.findings);
  progress('what helps');
  return {
    subject: 'cold start',
    findings,
    tables: [
      {
        title: `Cold start: minified ESM bundle; milliseconds in a fresh process, median of ${runs}`,
        columns: ['', 'bytes', 'added', 'gzip', 'import', 'answer', 'CPU of import', 'CPU of all', 'MB resident'],
        rows,
      },
      lite.table,
      await whatHelps(runs),
    ],
  };
}

/** Over TLS, as in Lambda. What bare Middy takes is taken off both sides. */
async function withoutSdk(runs: number): Promise<{ readonly findings: Finding[]; readonly table: DetailTable }> {
  const entries = ['middy', 'lite', 'ours', 'peer'] as const;
  const [middy, lite, ours, peer] = await Promise.all(entries.map((entry) => bundle(entry, 'bundled')));
  if (!(middy && lite && ours && peer)) throw new Error('a bundle is missing');
  const bundles = { middy, lite, ours, peer };
  const starts = await startAll(bundles, runs, { tls: true });
  const above = (entry: 'lite' | 'peer', what: keyof Start) =>
    medianOf(starts[entry], what) - medianOf(starts.middy, what);
  const ratio = (what: keyof Start) => above('lite', what) / above('peer', what);
  const names = { middy: 'bare Middy', lite: 'ours, without the SDK', ours: 'ours, with it', peer: 'peer, with it' };
  const rows = entries.map((entry) => [
    ...[names[entry], bundles[entry].bytes, bundles[entry].gzipped],
    ...(['import', 'answer', 'importCpu', 'answerCpu'] as const).map((what) =>
      medianOf(starts[entry], what).toFixed(0),
    ),
  ]);
  return {
    findings: [
      { ...finding('Cold start without the SDK, bytes of the whole bundle', lite.bytes / peer.bytes), target: 0.2 },
      { ...finding("Cold start without the SDK, import, above Middy's", ratio('import')), target: 0.2 },
      {
        ...finding("Cold start without the SDK, import and first answer, above Middy's", ratio('answer')),
        target: 0.38,
      },
    ],
    table: {
      title: `Cold start without the SDK, over TLS: milliseconds in a fresh process, median of ${runs}`,
      columns: ['', 'bytes', 'gzip', 'import', 'answer', 'CPU of import', 'CPU of all'],
      rows,
    },
  };
}

/** Lambda bills both, but a caller waits for what comes after the initialisation in any case, and for that only at times. */
async function whatHelps(runs: number): Promise<DetailTable> {
  const [ours, primed] = [await bundle('ours', 'bundled'), await bundle('primed', 'bundled')];
  const starts = await startAll(
    { ours, primed, compiled: { ...ours, compileCache: true }, both: { ...primed, compileCache: true } },
    runs,
  );
  const row = (name: string, of: readonly Start[]) => {
    const [initialised, answered] = [medianOf(of, 'import'), medianOf(of, 'answer')];
    const [importCpu, cpu] = [medianOf(of, 'importCpu'), medianOf(of, 'answerCpu')];
    return [name, ...[initialised, answered - initialised, importCpu, cpu - importCpu].map((ms) => ms.toFixed(0))];
  };
  return {
    title: `Cold start, SDK bundled, what helps: milliseconds in a fresh process, median of ${runs}`,
    columns: ['', 'initialisation', 'first answer after it', 'CPU of initialisation', 'CPU of the answer'],
    rows: [
      row('as it is', starts.ours),
      row("`await store.read('prime')` behind the store", starts.primed),
      row('a compile cache that is filled', starts.compiled),
      row('both', starts.both),
    ],
  };
}

function medianOf(starts: readonly Start[], what: keyof Start): number {
  return median(starts.map((start) => start[what]));
}

const finding = (name: string, value: number): Finding => ({ name, value, unit: "of the peer's", target: 1 });

async function bundlesWith(sdk: Sdk) {
  const [base, floor, ours, peer] = await Promise.all(ENTRIES.map((entry) => bundle(entry, sdk)));
  if (!(base && floor && ours && peer)) throw new Error('a bundle is missing');
  return { base, floor, ours, peer };
}
