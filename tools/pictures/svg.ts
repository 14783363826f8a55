/** The text for readers who do not see the picture, and its size in pixels. */
export interface Frame {
  readonly title: string;
  /** What it shows, in sentences. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
}

/** Colours by what they say, for light and for dark. A text in one of them can be read on `back` and on `soft`. */
export const COLOURS = {
  back: ['#ffffff', '#1d2127'],
  soft: ['#f1f4f8', '#272d35'],
  line: ['#b8c0cb', '#4d5661'],
  ink: ['#1c2128', '#e3e8ee'],
  quiet: ['#57606a', '#9ba6b2'],
  accent: ['#0b5fc4', '#6cb2ff'],
  good: ['#146c37', '#5fd08a'],
  warn: ['#8a5300', '#f0b755'],
  bad: ['#b3261e', '#ff8f85'],
} as const;

export type Colour = keyof typeof COLOURS;

const names = Object.keys(COLOURS) as Colour[];
const rules = (mode: 0 | 1) =>
  names.map((name) => `.${name}{fill:${COLOURS[name][mode]}}.${name}-line{stroke:${COLOURS[name][mode]}}`).join('');
const FONTS = [
  'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}',
  '.halo{stroke-width:5px;stroke-linejoin:round;paint-order:stroke}',
  '.code{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}',
].join('');
const STYLE = `${FONTS}path,line{fill:none;stroke-width:1.5}${rules(0)}@media (prefers-color-scheme:dark){${rules(1)}}`;

/** An SVG picture that works in an `<img>`: no font, script or address from elsewhere, light and dark by itself. */
export function picture({ title, description, width, height }: Frame, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(description)}</desc>`,
    `<style>${STYLE}</style>`,
    ...names.map(arrowhead),
    `<rect class="back line-line" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="12"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

const arrowhead = (name: Colour) =>
  `<marker id="${name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0,0.5L7.5,4L0,7.5z" class="${name}" stroke="none"/></marker>`;

export interface TextStyle {
  readonly colour?: Colour;
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly isBold?: boolean;
  readonly isCode?: boolean;
  /** Hides the lines behind it. */
  readonly hasHalo?: boolean;
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { colour = 'ink', size = 14, anchor = 'start', isBold = false, isCode = false, hasHalo = false } = style;
  const classes = `${colour}${isCode ? ' code' : ''}${hasHalo ? ' back-line halo' : ''}`;
  const attributes = `class="${classes}" font-size="${size}" text-anchor="${anchor}"${isBold ? ' font-weight="600"' : ''}`;
  return `<text x="${x}" y="${y}" ${attributes} xml:space="preserve">${escaped(content)}</text>`;
}

export interface BoxStyle {
  /** Of the border. */
  readonly colour?: Colour;
  readonly fill?: Colour;
  readonly isDashed?: boolean;
}

/** A rounded box with lines of text in its middle. The first line is bold. */
export function box(
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  lines: readonly string[],
  { colour = 'line', fill = 'soft', isDashed = false }: BoxStyle = {},
): string {
  const first = y + height / 2 - ((lines.length - 1) * LINE) / 2 + 5;
  const rows = lines.map((line, index) =>
    text(x + width / 2, first + index * LINE, line, {
      anchor: 'middle',
      ...(index === 0 ? { isBold: true } : { size: 12.5, colour: 'quiet' as const }),
    }),
  );
  const dash = isDashed ? ' stroke-dasharray="5 4"' : '';
  const rectangle = `<rect class="${fill} ${colour}-line" x="${x}" y="${y}" width="${width}" height="${height}" rx="8" stroke-width="1.5"${dash}/>`;
  return [rectangle, ...rows].join('\n');
}

const LINE = 18;

export type Point = readonly [x: number, y: number];

/** A line from point to point with a head at its end. `C` in the middle: see `curve`. */
export function arrow(points: readonly Point[], colour: Colour = 'ink', isDashed = false): string {
  return arrowAlong(`M${points.map(([x, y]) => `${x},${y}`).join('L')}`, colour, isDashed);
}

/** From the first point to the last, pulled towards the two between. */
export function curve([from, one, other, to]: readonly [Point, Point, Point, Point], colour: Colour = 'ink'): string {
  return arrowAlong(`M${from}C${one} ${other} ${to}`, colour, false);
}

function arrowAlong(path: string, colour: Colour, isDashed: boolean): string {
  const dash = isDashed ? ' stroke-dasharray="5 4"' : '';
  return `<path class="${colour}-line" d="${path}" marker-end="url(#${colour}-head)"${dash}/>`;
}

export function line([x1, y1]: Point, [x2, y2]: Point, colour: Colour = 'line', isDashed = false): string {
  const dash = isDashed ? ' stroke-dasharray="4 4"' : '';
  return `<line class="${colour}-line" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"${dash}/>`;
}

export function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
