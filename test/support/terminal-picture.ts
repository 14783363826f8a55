const COLOURS: Readonly<Record<string, string>> = {
  '31': 'fill="#f47067"',
  '32': 'fill="#57ab5a"',
  '36': 'fill="#39c5cf"',
  '1': 'font-weight="bold"',
  '2': 'fill="#909dab"',
};
const [CHARACTER, LINE, MARGIN] = [8.4, 19, 16];

/** What a terminal shows of a text with escape sequences, as an SVG picture. */
export function terminalPicture(text: string): string {
  const lines = text.split('\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escape sequences begin with one
  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''));
  const width = Math.ceil(Math.max(...plain.map(({ length }) => length)) * CHARACTER) + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  let style = '';
  const rows = lines.map((line, row) => {
    const spans = line.split('\u001b[').map((part, index) => {
      if (index === 0) return span(part, style);
      const end = part.indexOf('m');
      style = COLOURS[part.slice(0, end)] ?? '';
      return span(part.slice(end + 1), style);
    });
    return `<text x="${MARGIN}" y="${MARGIN + (row + 0.75) * LINE}">${spans.join('')}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="100%" height="100%" rx="8" fill="#22272e"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#cdd9e5" xml:space="preserve">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function span(text: string, style: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return style === '' || text === '' ? escaped : `<tspan ${style}>${escaped}</tspan>`;
}
