import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, type Entry, type Sdk } from './bundle.ts';
import { httpEvent } from './event.ts';
import type { Finding, Measurement } from './finding.ts';
import { median } from './rounds.ts';

const ENTRIES = ['base', 'floor', 'ours', 'peer'] as const;
const SDKS = ['bundled', 'external'] as const;
const CHILD = fileURLToPath(new URL('cold-start-child.mjs', import.meta.url));

interface Start {
  readonly import: number;
  readonly answer: number;
  readonly importCpu: number;
  readonly answerCpu: number;
  readonly residentMegabytes: number;
}

/** What a bundle grows by, and what a fresh process takes until it has imported it, and until its first answer. */
export async function measureColdStart(runs: number, progress: (text: string) => void): Promise<Measurement> {
  const findings: Finding[] = [];
  const rows: (string | number)[][] = [];
  for (const sdk of SDKS) {
    progress(`SDK ${sdk}`);
    const bundles = await bundlesWith(sdk);
    const starts = await startAll(bundles, sdk, runs);
    const added = (entry: Entry) => bundles[entry].bytes - bundles.base.bytes;
    const of = (entry: Entry, what: keyof Start) => median(starts[entry].map((start) => start[what]));
    const against = (what: keyof Start) => of('ours', what) / of('peer', what);
    findings.push(
      finding(`Cold start, bytes added, SDK ${sdk}`, added('ours') / added('peer')),
      finding(`Cold start, import, SDK ${sdk}`, against('import')),
      finding(`Cold start, import and first answer, SDK ${sdk}`, against('answer')),
    );
    for (const entry of ENTRIES) {
      const millis = (['import', 'answer', 'importCpu', 'answerCpu'] as const).map((what) =>
        of(entry, what).toFixed(0),
      );
      const sizes = [bundles[entry].bytes, entry === 'base' ? '' : added(entry), bundles[entry].gzipped];
      rows.push([`${NAMES[entry]}, SDK ${sdk}`, ...sizes, ...millis, of(entry, 'residentMegabytes').toFixed(0)]);
    }
  }
  return {
    subject: 'cold start',
    findings,
    tables: [
      {
        title: `Cold start: minified ESM bundle; milliseconds in a fresh process, median of ${runs}`,
        columns: ['', 'bytes', 'added', 'gzip', 'import', 'answer', 'CPU of import', 'CPU of all', 'MB resident'],
        rows,
      },
    ],
  };
}

const NAMES: Readonly<Record<Entry, string>> = {
  base: 'Middy and a client, no call',
  floor: 'two bare puts',
  ours: 'ours',
  peer: 'peer',
};

const finding = (name: string, value: number): Finding => ({ name, value, unit: "of the peer's", target: 1 });

async function bundlesWith(sdk: Sdk) {
  const [base, floor, ours, peer] = await Promise.all(ENTRIES.map((entry) => bundle(entry, sdk)));
  if (!(base && floor && ours && peer)) throw new Error('a bundle is missing');
  return { base, floor, ours, peer };
}

async function startAll(bundles: Readonly<Record<Entry, { code: string }>>, sdk: Sdk, runs: number) {
  // Beside node_modules, so that an external SDK is found.
  const cache = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, `cold-start-${sdk}-`));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/x-amz-json-1.0').end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const starts: Record<Entry, Start[]> = { base: [], floor: [], ours: [], peer: [] };
  try {
    for (const entry of ENTRIES) writeFileSync(join(folder, `${entry}.mjs`), bundles[entry].code);
    for (let run = -1; run < runs; run++) {
      for (const entry of ENTRIES) {
        const start = await startOnce(join(folder, `${entry}.mjs`), endpoint);
        // The first one finds no file in the system's cache.
        if (run >= 0) starts[entry].push(start);
      }
    }
  } finally {
    server.close();
    server.closeAllConnections();
    process.removeListener('exit', clean);
    clean();
  }
  return starts;
}

async function startOnce(file: string, endpoint: string): Promise<Start> {
  const child = fork(CHILD, [file, JSON.stringify(httpEvent('key'))], {
    env: { PATH: process.env['PATH'], DYNAMODB_ENDPOINT: endpoint, AWS_LAMBDA_FUNCTION_NAME: 'place-order' },
    execArgv: [],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const [answer] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  process.removeListener('exit', kill);
  if (typeof answer !== 'object' || answer === null) throw new Error('a process has ended without an answer');
  if (child.exitCode === null) await once(child, 'exit');
  return answer as Start;
}
