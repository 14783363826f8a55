import { parseArgs } from 'node:util';
import type { Configuration } from './configuration.ts';
import { PAIRS, SMALL, TRIPLES } from './configurations.ts';
import { explore, type Found, type Progress, type Report } from './explore.ts';

const HELP = `Exhaustive exploration: every order of events that is possible for two and for three executions of one key, within the
bounds that each configuration names, with a crash at every await; the real guard, function wrapper and middleware, every
end judged by the oracle that knows only the promises.

  npm run test:exploration                 two executions, then three
  npm run test:exploration -- --small      what npm test explores
  npm run test:exploration -- --pairs      two executions only
  npm run test:exploration -- --only TTL   configurations with this text in their name
  npm run test:exploration -- --list       shows the configurations

Exit code 1 when a promise is broken: what happened, from the beginning, is printed.`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    small: { type: 'boolean' },
    pairs: { type: 'boolean' },
    list: { type: 'boolean' },
    only: { type: 'string', default: '' },
  },
});

const groups = values.small === true ? [SMALL] : values.pairs === true ? [PAIRS] : [PAIRS, TRIPLES];
const chosen = groups.flat().filter(({ name }) => name.includes(values.only));
if (values.help === true) console.log(HELP);
else if (values.list === true) console.log(chosen.map(describe).join('\n'));
else await all(chosen);

async function all(configurations: readonly Configuration[]): Promise<void> {
  process.once('SIGINT', () => {
    console.error('\nstopped');
    process.exit(130);
  });
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
  process.exitCode = violations > 0 || configurations.length === 0 ? 1 : 0;
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
