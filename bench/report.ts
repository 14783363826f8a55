import { type DetailTable, type Finding, isMet, type Measurement, rounded } from './finding.ts';

type Row = readonly (string | number)[];

const COLUMNS = ['', 'value', '', 'half of the rounds', 'target', '', 'floor'];

export function findingsOf(measurements: readonly Measurement[]): Finding[] {
  return measurements.flatMap(({ findings }) => findings);
}

function findingRow(finding: Finding): Row {
  const { name, value, unit, target, floor, between } = finding;
  const met = isMet(finding);
  return [
    name,
    rounded(value),
    unit,
    between === undefined ? '' : between.map(rounded).join(' to '),
    target === undefined ? '' : `≤ ${target}`,
    met === undefined ? '' : met ? 'met' : 'not met',
    floor === undefined ? '' : rounded(floor),
  ];
}

/** For the terminal. */
export function asText(measurements: readonly Measurement[]): string {
  const details = measurements
    .flatMap(({ tables }) => tables)
    .map(({ title, columns, rows }) => `${title}\n${aligned([columns, ...rows])}`);
  const table = aligned([COLUMNS, ...findingsOf(measurements).map(findingRow)]);
  return [...details, table].join('\n\n');
}

function aligned(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)));
  const line = (row: Row) =>
    row.map((cell, column) => {
      const text = String(cell);
      return column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
    });
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}

/** For docs/cost-and-speed.md. */
export function asMarkdown(measurements: readonly Measurement[]): string {
  const details = measurements.flatMap(({ tables }) => tables).map(detailMarkdown);
  return [markdownTable([COLUMNS, ...findingsOf(measurements).map(findingRow)]), ...details].join('\n\n');
}

function detailMarkdown({ title, columns, rows }: DetailTable): string {
  return `${title}:\n\n${markdownTable([columns, ...rows])}`;
}

function markdownTable([head = [], ...rows]: readonly Row[]): string {
  const line = (row: Row) => `| ${row.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
