import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { bundle, type Entry } from './bundle.ts';
import { type CpuShare, cpuShare, shareAt } from './cpu-share.ts';
import { httpEvent } from './event.ts';
import type { Finding, Measurement } from './finding.ts';
import { ratioOf, spread } from './rounds.ts';
import { type Started, withBundles } from './starts.ts';

const CHILD = fileURLToPath(new URL('share-child.mjs', import.meta.url));
const MEGABYTES = 512;
const WARM_UP_CALLS = 300;
const WARM_CALLS = 100;

const ENTRIES = ['raw', 'lite', 'ours', 'peer', 'litePrimed', 'primed'] as const satisfies readonly Entry[];
const NAMES: Readonly<Record<(typeof ENTRIES)[number], string>> = {
  raw: 'two bare puts by `node:https`',
  lite: 'lite',
  ours: 'ours, SDK',
  peer: 'peer, SDK',
  litePrimed: 'lite, primed',
  primed: 'ours, SDK, primed',
};

interface Call {
  /** Until its answer. */
  readonly millis: number;
  readonly cpu: number;
}

type Calls = Readonly<Record<'first' | 'warm', Call>>;

/**
 * What a caller waits for where the function has 512 MB, over TLS. Lambda initialises with a whole CPU: the share begins with the
 * first call.
 */
export async function measureShare(runs: number, progress: (text: string) => void): Promise<Measurement> {
  const share = cpuShare(shareAt(MEGABYTES));
  if (share === undefined) progress('no control group may be made here: CPU time instead');
  try {
    const bundles = Object.fromEntries(
      await Promise.all(ENTRIES.map(async (entry) => [entry, await bundle(entry, 'bundled')])),
    );
    const calls = await withBundles(bundles, { tls: true }, async (started) => {
      const measured = Object.fromEntries(ENTRIES.map((entry) => [entry, [] as Calls[]]));
      for (let run = 0; run < runs; run++) {
        progress(`run ${run + 1} of ${runs}`);
        for (const entry of ENTRIES) measured[entry]?.push(await callsOf(started(entry), share));
      }
      return measured as Record<(typeof ENTRIES)[number], Calls[]>;
    });
    return report(calls, share !== undefined);
  } finally {
    share?.remove();
  }
}

function report(calls: Readonly<Record<(typeof ENTRIES)[number], Calls[]>>, isShared: boolean): Measurement {
  const of = (entry: (typeof ENTRIES)[number], what: 'first' | 'warm') =>
    calls[entry].map((one) => (isShared ? one[what].millis : one[what].cpu));
  const where = isShared ? `at ${MEGABYTES} MB` : 'CPU time';
  const finding = (what: 'first' | 'warm', target: number): Finding => ({
    ...{ name: `${what === 'first' ? 'First' : 'Warm'} call ${where}, lite`, unit: "of the peer's", target },
    ...ratioOf(of('lite', what), of('peer', what)),
    floor: ratioOf(of('raw', what), of('peer', what)).value,
  });
  return {
    subject: 'share',
    findings: [finding('first', 0.52), finding('warm', 0.45)],
    tables: [
      {
        title: isShared
          ? `Milliseconds until the answer over TLS, with ${shareAt(MEGABYTES).toFixed(2)} of a CPU as at ${MEGABYTES} MB`
          : 'Milliseconds of CPU over TLS: no control group could be made, so nothing had less than a whole CPU',
        columns: ['', 'first call after initialisation', `each of ${WARM_CALLS} warm calls`],
        rows: ENTRIES.map((entry) => [NAMES[entry], spread(of(entry, 'first'), 0), spread(of(entry, 'warm'), 2)]),
      },
    ],
  };
}

async function callsOf({ file, environment }: Started, share: CpuShare | undefined): Promise<Calls> {
  const child = fork(CHILD, [file, JSON.stringify(httpEvent('key'))], { env: environment, execArgv: [] });
  const kill = () => child.kill('SIGKILL');
  // Before the bundle is removed that it may be importing.
  process.prependOnceListener('exit', kill);
  const answer = async () => {
    const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (typeof message === 'number' || message === null) throw new Error('a process has ended without an answer');
    return message as Call;
  };
  const calls = (count: number) => {
    child.send(count);
    return answer();
  };
  try {
    await answer();
    share?.add(child.pid ?? 0);
    share?.limit(true);
    const first = await calls(1);
    share?.limit(false);
    await calls(WARM_UP_CALLS);
    share?.limit(true);
    return { first, warm: await calls(WARM_CALLS) };
  } finally {
    share?.limit(false);
    kill();
    process.removeListener('exit', kill);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}
