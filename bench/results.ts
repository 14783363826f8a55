import { readFileSync, writeFileSync } from 'node:fs';
import { chart } from './chart.ts';
import { isMet, type Measurement } from './finding.ts';
import type { Machine } from './machine.ts';
import { asMarkdown, findingsOf } from './report.ts';

const PAGE = new URL('../docs/cost-and-speed.md', import.meta.url);
const RESULTS = new URL('results.json', import.meta.url);
const CHART = new URL('chart.svg', import.meta.url);
const BEGIN = '<!-- npm run bench -- --write: begin -->';
const END = '<!-- npm run bench -- --write: end -->';

/** Beside this file, and between two marks of the page. */
export function writeResults(measurements: readonly Measurement[], machine: Machine): void {
  const findings = findingsOf(measurements).map((finding) => ({ ...finding, met: isMet(finding) ?? null }));
  const tables = measurements.flatMap((measurement) => measurement.tables);
  writeFileSync(RESULTS, `${JSON.stringify({ machine, findings, tables }, undefined, 2)}\n`);
  const where = `${machine.cpu}, ${machine.memoryGigabytes} GB, Node ${machine.node.slice(1)}`;
  writeFileSync(CHART, chart(findingsOf(measurements), `${machine.date}, ${where}`));
  writePage(
    `${conditions(machine, where)}\n\n![The ratios below, as bars](../bench/chart.svg)\n\n${asMarkdown(measurements)}`,
  );
}

function conditions({ date, packages }: Machine, where: string): string {
  const versions = Object.entries(packages).map(([name, version]) => `\`${name}\` ${version}`);
  return `Measured on ${date}: ${where}; ${versions.join(', ')}.`;
}

function writePage(block: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE.pathname} has no place for the figures: ${BEGIN} … ${END}`);
  writeFileSync(PAGE, `${page.slice(0, begin + BEGIN.length)}\n${block}\n${page.slice(end)}`);
}
