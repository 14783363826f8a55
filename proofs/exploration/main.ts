import { UsageError } from '../../tools/arguments.ts';
import { runCommand, type SettingsOf } from '../../tools/command.ts';
import { flag, text } from '../../tools/options.ts';
import type { Configuration } from './configuration.ts';
import { PAIRS, SMALL, TRIPLES } from './configurations.ts';
import { explore, type Found, type Progress, type Report } from './explore.ts';

const OPTIONS = {
  small: flag('What npm test explores.'),
  pairs: flag('Two executions only.'),
  only: text('Configurations with this text in their name.'),
  list: flag('Only show the configurations.'),
};
type Settings = SettingsOf<typeof OPTIONS>;

/** @returns whether every promise has held */
async function run(settings: Settings): Promise<boolean> {
  const configurations = configurationsOf(settings);
  if (settings.list) {
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

function configurationsOf({ small, pairs, only }: Settings): readonly Configuration[] {
  const groups = small ? [SMALL] : pairs ? [PAIRS] : [PAIRS, TRIPLES];
  const configurations = groups.flat().filter(({ name }) => name.includes(only));
  if (configurations.length === 0) throw new UsageError(`no configuration has '${only}' in its name: see --list`);
  return configurations;
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

await runCommand({
  name: 'test:exploration',
  about: `
    Exhaustive exploration: every order of events that is possible for two and for three executions of one key, within the bounds
    that each configuration names, with a crash at every await. It runs the real guard, function wrapper and middleware. An oracle
    that knows only the promises judges every end. Exit code 1 when a promise is broken: what happened, from the beginning, is
    printed.`,
  options: OPTIONS,
  run,
});
