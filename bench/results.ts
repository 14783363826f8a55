import { readFileSync, writeFileSync } from 'node:fs';
import { chart } from './chart.ts';
import { isMet, type Measurement } from './finding.ts';
import type { Machine } from './machine.ts';
import { asMarkdown, findingsOf } from './report.ts';

const README = new URL('../README.md', import.meta.url);
const RESULTS = new URL('results.json', import.meta.url);
const CHART = new URL('chart.svg', import.meta.url);
const BEGIN = '<!-- npm run bench -- --write: begin -->';
const END = '<!-- npm run bench -- --write: end -->';

/** Beside this file, and between two marks of the README. */
export function writeResults(measurements: readonly Measurement[], machine: Machine): void {
  const findings = findingsOf(measurements).map((finding) => ({ ...finding, met: isMet(finding) ?? null }));
  const tables = measurements.flatMap((measurement) => measurement.tables);
  writeFileSync(RESULTS, `${JSON.stringify({ machine, findings, tables }, undefined, 2)}\n`);
  const where = `${machine.cpu}, ${machine.memoryGigabytes} GB, Node ${machine.node.slice(1)}`;
  writeFileSync(CHART, chart(findingsOf(measurements), `${machine.date}, ${where}`));
  writeReadme(
    `${conditions(machine, where)}\n\n![The ratios below, as bars](bench/chart.svg)\n\n${asMarkdown(measurements)}`,
  );
}

function conditions({ date, packages }: Machine, where: string): string {
  const versions = Object.entries(packages).map(([name, version]) => `\`${name}\` ${version}`);
  return `Measured on ${date}: ${where}; ${versions.join(', ')}.`;
}

function writeReadme(block: string): void {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no place for the figures: ${BEGIN} … ${END}`);
  writeFileSync(README, `${readme.slice(0, begin + BEGIN.length)}\n${block}\n${readme.slice(end)}`);
}
