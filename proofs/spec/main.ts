import { execFile, spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runCommand, type Stop } from '../../tools/command.ts';
import { flag, text } from '../../tools/options.ts';

interface Check {
  readonly name: string;
  readonly defines: readonly string[];
  /** Whether an assertion must fail. @default false */
  readonly fails?: boolean;
  /** Whether to check that a key never stays stuck, under weak fairness, instead of the assertions. @default false */
  readonly progress?: boolean;
}

const variant = (name: string, ...defines: string[]): Check => ({
  name,
  defines: ['FAULTS=1', ...defines],
  fails: true,
});

const QUICK: readonly Check[] = [
  { name: 'I1 to I4 and I11, no network faults', defines: ['FAULTS=0'] },
  { name: 'progress, no network faults', defines: ['FAULTS=0'], progress: true },
];

/** Clocks that agree, and the time of one takeover: what makes the larger worlds small enough. */
const SMALLER = ['SAME_CLOCKS', 'END=3'];
const feature = (name: string, ...defines: string[]): Check => ({ name, defines: [...SMALLER, ...defines] });
const wrongFeature = (name: string, ...defines: string[]): Check => ({
  name: `wrong: ${name}`,
  defines: ['FAULTS=0', ...SMALLER, ...defines],
  fails: true,
});

const FEATURES: readonly Check[] = [
  { name: 'steps, no network faults', defines: ['FAULTS=0', 'STEPS'] },
  { name: 'transactions, no network faults', defines: ['FAULTS=0', 'TRANSACT'] },
  { name: 'waiting, no network faults', defines: ['FAULTS=0', 'LOOKS=1'] },
  feature('steps, one network fault', 'FAULTS=1', 'STEPS'),
  feature('transactions, one network fault', 'FAULTS=1', 'TRANSACT'),
  feature('waiting, one network fault', 'FAULTS=1', 'LOOKS=2'),
  feature('two extensions, one network fault', 'FAULTS=1', 'EXTENSIONS=2'),
  feature('three requests, no network faults', 'FAULTS=0', 'N=3'),
  { ...feature('progress with steps and waiting', 'FAULTS=0', 'STEPS', 'LOOKS=1'), progress: true },
  feature('two idempotentTransactions, one network fault', 'FAULTS=1', 'PLANS=2', 'TRANSACT'),
  { name: 'an idempotentTransaction and a claim, no network faults', defines: ['FAULTS=0', 'PLANS=1', 'TRANSACT'] },
  feature('an idempotentTransaction and a claim, one network fault', 'FAULTS=1', 'PLANS=1', 'TRANSACT'),
  feature('two idempotentTransactions and a claim, no network faults', 'FAULTS=0', 'N=3', 'PLANS=2', 'TRANSACT'),
  wrongFeature('a takeover loses the checkpoint', 'STEPS', 'BREAK_KEEP'),
  wrongFeature('a step begins after the lease', 'STEPS', 'BREAK_STEP'),
  wrongFeature('a checkpoint leaves the version as it was', 'STEPS', 'BREAK_VERSION'),
  wrongFeature('data are written beside the record', 'TRANSACT', 'BREAK_TRANSACT'),
  wrongFeature('who has waited takes over from whom he waited for', 'LOOKS=1', 'BREAK_WAIT'),
];

const wrongPlan = (name: string, ...defines: string[]): Check =>
  variant(`wrong: idempotentTransaction: ${name}`, ...SMALLER, 'TRANSACT', ...defines);

const FULL: readonly Check[] = [
  ...QUICK,
  ...FEATURES,
  { name: 'I1 to I4 and I11, one network fault', defines: ['FAULTS=1'] },
  wrongPlan('no condition for the record', 'PLANS=2', 'BREAK_CONDITION'),
  wrongPlan('its own outcome counts as a replay', 'PLANS=2', 'BREAK_OURS'),
  wrongPlan('its failure is answered without a look', 'PLANS=2', 'BREAK_LOOK'),
  wrongPlan('a live lease is taken over', 'PLANS=1', 'BREAK_LIVE'),
  wrongPlan('the fencing number does not grow', 'PLANS=1', 'BREAK_NUMBER'),
  wrongPlan('its data are written beside the record', 'PLANS=2', 'BREAK_BESIDE'),
  variant('wrong: writes do not name their owner', 'BREAK_OWNER'),
  variant('wrong: the skew is forgotten', 'BREAK_SKEW'),
  variant('wrong: own writes are not recognised', 'BREAK_SELF'),
  variant('wrong: an execution starts after its own lease', 'BREAK_LATE'),
  variant('wrong: the TTL is shorter than the lease', 'BREAK_TTL'),
  variant('wrong: a finished effect is released', 'BREAK_RELEASE'),
  variant('wrong: a late extension shortens the lease', 'EXTENSIONS=2', 'BREAK_EXTEND'),
  // It takes three: one whose lease is over, one that has taken over and let go, and one that still means to take over.
  variant('wrong: a claim whose lease is over takes over', 'N=3', ...SMALLER, 'BREAK_STALE'),
];

/** @returns whether each has ended as it must */
async function checkAll(
  { quick, only }: { readonly quick: boolean; readonly only: string },
  stops: Stop[],
): Promise<boolean> {
  for (const command of ['spin', 'cc']) {
    if (spawnSync(command, [command === 'spin' ? '-V' : '--version']).error !== undefined) {
      throw new Error(`${command} is missing: install Spin and a C compiler (Debian: apt-get install spin gcc)`);
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'middy-idempotency-spec-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  await copyFile(fileURLToPath(new URL('idempotency.pml', import.meta.url)), join(folder, 'idempotency.pml'));
  const run = async (command: string, args: readonly string[]) => {
    const running = promisify(execFile)(command, args, { cwd: folder });
    stops.push(async () => running.child.kill());
    return (await running).stdout;
  };
  let areAll = true;
  for (const check of quick ? QUICK : FULL) {
    if (check.name.includes(only)) areAll = (await isAsExpected(run, check)) && areAll;
  }
  return areAll;
}

/** Answers what the command has printed. */
type Run = (command: string, args: readonly string[]) => Promise<string>;

async function isAsExpected(run: Run, { name, defines, fails = false, progress = false }: Check): Promise<boolean> {
  await run('spin', ['-a', ...defines.map((define) => `-D${define}`), 'idempotency.pml']);
  const kind = progress ? ['-DNFAIR=4'] : ['-DSAFETY', '-DNOCLAIM'];
  await run('cc', ['-O2', '-DCOLLAPSE', '-DMEMLIM=8000', ...kind, '-o', 'pan', 'pan.c']);
  const output = await run('./pan', ['-m200000', ...(progress ? ['-a', '-f', '-N', 'progress'] : [])]);
  const [, errors] = /errors: (\d+)/.exec(output) ?? [];
  const [, states = '?'] = /(\S+) states, stored/.exec(output) ?? [];
  const isWhole = !/Search not completed|out of memory|max search depth too small/.test(output);
  const holds = errors === '0' && isWhole;
  const expected = fails ? Number(errors) > 0 : holds;
  const verdict = holds ? 'holds' : Number(errors) > 0 ? 'fails' : 'was not searched to its end';
  console.log(`${expected ? 'ok ' : 'NOT'}  ${name}: ${verdict}, ${Number(states).toLocaleString('en')} states`);
  return expected;
}

await runCommand({
  name: 'test:spec',
  about: `
    Checks proofs/spec/idempotency.pml with the model checker Spin, and that its variants which are wrong on purpose fail: about
    nine minutes on one core, 2 GB of memory.`,
  options: {
    quick: flag('Without network faults: seconds.'),
    only: text('Checks with this text in their name.'),
  },
  run: checkAll,
});
