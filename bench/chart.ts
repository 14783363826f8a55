import { type Finding, isMet, rounded } from './finding.ts';

const ROW = 26;
const LEFT = 520;
const WIDTH = 1050;
const SCALE_END = 2.25;
const x = (value: number) => LEFT + (Math.min(value, SCALE_END) / SCALE_END) * (WIDTH - LEFT - 60);

/** Ratios as bars, each with marks of its target and its floor: green where the target is met. */
export function chart(findings: readonly Finding[], caption: string): string {
  const ratios = findings.filter(({ unit }) => unit.startsWith('of '));
  const height = (ratios.length + 3) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="${ROW - 8}" font-weight="bold">Cost against the peer, and against bare calls of the SDK: shorter is better. Black: the target; grey: the floor</text>
<line x1="${x(1)}" y1="${ROW + 8}" x2="${x(1)}" y2="${height - ROW}" stroke="#999999" stroke-dasharray="3 3"/>
${ratios.map(bar).join('\n')}
<text x="16" y="${height - 8}" fill="#666666" font-size="11">${escaped(caption)}</text>
</svg>
`;
}

function bar(finding: Finding, index: number): string {
  const { name, value, unit, target, floor } = finding;
  const y = (index + 1.5) * ROW;
  const fill = isMet(finding) === false ? '#c96a2b' : '#2f8f5b';
  const mark = (at: number | undefined, color: string) =>
    at === undefined
      ? ''
      : `<line x1="${x(at)}" y1="${y - 2}" x2="${x(at)}" y2="${y + 18}" stroke="${color}" stroke-width="2"/>`;
  return `<text x="16" y="${y + 13}">${escaped(`${name}, ${unit}`)}</text>
<rect x="${LEFT}" y="${y}" width="${Math.max(1, x(value) - LEFT)}" height="16" fill="${fill}"/>${mark(floor, '#999999')}${mark(target, '#222222')}
<text x="${x(value) + 6}" y="${y + 13}">${rounded(value)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
