import { escaped, type Frame, picture } from './svg.ts';

/** By the number in the escape sequence. */
const STYLES: Readonly<Record<string, string>> = {
  '31': 'class="bad"',
  '32': 'class="good"',
  '36': 'class="accent"',
  '1': 'font-weight="600"',
  '2': 'class="quiet"',
};
const [CHARACTER, LINE, MARGIN] = [8.5, 19, 18];

/** What a terminal shows of a text with escape sequences. */
export function terminal(frame: Pick<Frame, 'title' | 'description'>, content: string): string {
  const lines = content.split('\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escape sequences begin with one
  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
  const width = Math.ceil(Math.max(...plain.map(({ length }) => length)) * CHARACTER) + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  let style = '';
  const rows = lines.map((line, row) => {
    const spans = line.split('\u001b[').map((part, index) => {
      if (index === 0) return span(part, style);
      const end = part.indexOf('m');
      style = STYLES[part.slice(0, end)] ?? '';
      return span(part.slice(end + 1), style);
    });
    return `<text class="ink code" xml:space="preserve" x="${MARGIN}" y="${MARGIN + (row + 0.75) * LINE}">${spans.join('')}</text>`;
  });
  return picture({ ...frame, width, height }, [`<g font-size="14">`, ...rows, '</g>']);
}

function span(content: string, style: string): string {
  return style === '' || content === '' ? escaped(content) : `<tspan ${style}>${escaped(content)}</tspan>`;
}
