import { runCommand } from '../../test/support/command.ts';
import { FLAG, parseOptions, TEXT, UsageError } from '../../tools/arguments.ts';
import type { Configuration } from './configuration.ts';
import { PAIRS, SMALL, TRIPLES } from './configurations.ts';
import { explore, type Found, type Progress, type Report } from './explore.ts';

const USAGE = `Exhaustive exploration: every order of events that is possible for two and for three executions of one key, within the
bounds that each configuration names, with a crash at every await; the real guard, function wrapper and middleware, every
end judged by the oracle that knows only the promises.

  npm run test:exploration                 two executions, then three
  npm run test:exploration -- --small      what npm test explores
  npm run test:exploration -- --pairs      two executions only
  npm run test:exploration -- --only TTL   configurations with this text in their name
  npm run test:exploration -- --list       shows the configurations

Exit code 1 when a promise is broken: what happened, from the beginning, is printed.`;

interface Settings {
  readonly configurations: readonly Configuration[];
  /** Only shows them. */
  readonly list: boolean;
}

function readSettings(args: readonly string[]): Settings | undefined {
  const options = parseOptions(args, { small: FLAG, pairs: FLAG, list: FLAG, only: TEXT });
  const { help, small = false, pairs = false, list = false, only = '' } = options;
  if (help === true) return undefined;
  const groups = small ? [SMALL] : pairs ? [PAIRS] : [PAIRS, TRIPLES];
  const configurations = groups.flat().filter(({ name }) => name.includes(only));
  if (configurations.length === 0) throw new UsageError(`no configuration has '${only}' in its name: see --list`);
  return { configurations, list };
}

/** @returns whether every promise has held */
async function run({ configurations, list }: Settings): Promise<boolean> {
  if (list) {
    console.log(configurations.map(describe).join('\n'));
    return true;
  }
  console.log('| configuration | states | transitions | ends | schedules | depth | violations | CPU seconds |');
  console.log('|---|---|---|---|---|---|---|---|');
  const total = { states: 0, transitions: 0, schedules: 0, violations: 0, seconds: 0 };
  for (const configuration of configurations) {
    const report = await explore(configuration, { onProgress: (counts) => progress(configuration.name, counts) });
    console.log(row(report));
    for (const found of report.found) console.log(`\n${explain(found)}\n`);
    total.states += report.states;
    total.transitions += report.transitions;
    total.schedules += report.schedules;
    total.violations += report.found.length;
    total.seconds += report.seconds;
  }
  const { states, transitions, schedules, violations, seconds } = total;
  console.log(
    `\n${count(states)} states, ${count(transitions)} transitions, ${count(schedules)} schedules, ` +
      `${violations} violations, ${seconds.toFixed(1)} CPU seconds`,
  );
  return violations === 0;
}

function row({ configuration, found, isComplete, ...report }: Report): string {
  const { states, transitions, ends, schedules, depth, seconds } = report;
  const cells = [states, transitions, ends, schedules, depth, found.length].map(count);
  return `| ${[configuration.name, ...cells, seconds.toFixed(1)].join(' | ')} |${isComplete ? '' : ' stopped here'}`;
}

function progress(name: string, { states, depth, seconds }: Progress): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${name}: ${count(states)} states, depth ${depth}, ${seconds.toFixed(0)} s\u001b[K\r`);
}

function explain({ violations, path }: Found): string {
  const broken = violations.map(({ promise, message }) => `BROKEN ${promise}: ${message}`);
  return [...path.map((what, index) => `${`${index + 1}`.padStart(3)}  ${what}`), ...broken].join('\n');
}

function describe(configuration: Configuration): string {
  const { name, ...bounds } = configuration;
  return `${name}: ${JSON.stringify(bounds)}`;
}

function count(number: number): string {
  return number.toLocaleString('en', { maximumFractionDigits: 0 });
}

await runCommand({ usage: USAGE, readSettings, run });
