import { line, picture, text } from '../tools/pictures/svg.ts';
import { type Finding, isMet, rounded } from './finding.ts';

const ROW = 26;
const [WIDTH, MARGIN] = [960, 18];
/** About: fonts differ. */
const CHARACTER = 6.6;
const SCALE_END = 2.25;
const CLOSE = 40;
const LEGEND = 'Dark line: the target. Grey line: the floor. Green: the target is met.';

/** Ratios as bars, each with marks of its target and its floor: green where the target is met. */
export function chart(findings: readonly Finding[], caption: string): string {
  const ratios = findings.filter(({ unit }) => unit.startsWith('of '));
  const height = (ratios.length + 3) * ROW + 8;
  const left = MARGIN + Math.ceil(Math.max(...ratios.map((ratio) => labelOf(ratio).length)) * CHARACTER) + 14;
  const x = (value: number) => Math.round(left + (Math.min(value, SCALE_END) / SCALE_END) * (WIDTH - left - 60));
  const title = 'Cost against the peer, and against bare calls of the SDK: shorter is better';
  const description = ratios.map(({ name, value, unit }) => `${name}: ${rounded(value)} ${unit}.`).join(' ');
  return picture({ title, description, width: WIDTH, height }, [
    text(MARGIN, ROW, title, { isBold: true }),
    line([x(1), ROW + 12], [x(1), height - ROW - 6], 'quiet', true),
    text(x(1), height - ROW + 7, '1', { anchor: 'middle', size: 12, colour: 'quiet' }),
    ...ratios.map((finding, index) => bar(finding, (index + 1.6) * ROW, left, x)),
    text(MARGIN, height - 11, `${LEGEND} ${caption}`, { size: 11, colour: 'quiet' }),
  ]);
}

const labelOf = ({ name, unit }: Finding) => `${name}, ${unit}`;

function bar(finding: Finding, y: number, left: number, x: (value: number) => number): string {
  const { value, target, floor } = finding;
  // Behind a mark that is close by.
  const end = target !== undefined && target > value && x(target) - x(value) < CLOSE ? x(target) : x(value);
  const colour = isMet(finding) === false ? 'warn' : 'good';
  return [
    text(MARGIN, y + 13, labelOf(finding), { size: 12.5 }),
    `<rect class="${colour}" x="${left}" y="${y}" width="${Math.max(1, x(value) - left)}" height="16" rx="3"/>`,
    ...(floor === undefined ? [] : [mark(x(floor), y, 'quiet')]),
    ...(target === undefined ? [] : [mark(x(target), y, 'ink')]),
    text(end + 8, y + 13, String(rounded(value)), { size: 13, hasHalo: true }),
  ].join('\n');
}

const mark = (at: number, y: number, colour: 'ink' | 'quiet') => line([at, y - 2], [at, y + 18], colour);
