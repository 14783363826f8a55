import { renderMermaidSVG } from 'beautiful-mermaid';

const LOST = /^\s*\S+?\s*--?x\s*\S+?\s*:/;
const MESSAGE = /^\s*\S+?\s*(->>|-->>|--?x)\s*\S+?\s*:/;

/** The renderer writes at 11 pixels, which is small beside the text of a page. */
const SCALE = 1.15;

let count = 0;

/** Mermaid as an SVG in the page, in the colours of the theme (`theme.css`). The code host draws the same text. */
export function diagram(code: string): string {
  count += 1;
  const svg = renderMermaidSVG(code, { bg: 'var(--sl-color-bg)', fg: 'var(--sl-color-text)', transparent: true })
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/ style="[^"]*"/, '')
    .replaceAll(/\b(id="|url\(#)(?=[a-z])/g, `$1d${count}-`)
    .replace(
      / (width)="([\d.]+)" (height)="([\d.]+)"/,
      (_, w, width, h, height) => ` ${w}="${width * SCALE}" ${h}="${height * SCALE}"`,
    )
    .replaceAll(/ data-[a-z-]+="[^"]*"/g, '')
    .replaceAll(/\d+\.\d{2,}/g, (number) => Number(number).toFixed(1))
    .replaceAll(/^\s+/gm, '');
  // The figure can be scrolled at phone width, so that the keyboard must reach it.
  return `<div class="diagram" role="img" tabindex="0" aria-label="${labelOf(code)}">${withLostMessages(svg, code)}</div>`;
}

/** The renderer draws a lost message (`--x`) like any other. It does not arrive: it ends in a cross. */
function withLostMessages(svg: string, code: string): string {
  const lost = code
    .split('\n')
    .filter((line) => MESSAGE.test(line))
    .map((line) => LOST.test(line));
  let index = 0;
  return svg.replaceAll(/<g class="message"[^>]*>[\s\S]*?<\/g>/g, (message) => {
    const isLost = lost[index];
    index += 1;
    const [, x1 = '', y = '', x2 = ''] = /x1="([^"]+)" y1="([^"]+)" x2="([^"]+)"/.exec(message) ?? [];
    if (isLost !== true) return message;
    const end = Number(x1) + (Number(x2) - Number(x1)) * 0.75;
    const cross = `<path d="M${end - 5},${Number(y) - 5}l10,10m0,-10l-10,10"/>`;
    return message
      .replace('class="message"', 'class="message lost"')
      .replace(`x2="${x2}"`, `x2="${end}"`)
      .replace(/ marker-end="[^"]*"/, '')
      .replace('</g>', `${cross}</g>`);
  });
}

/** What it shows, in words. */
function labelOf(code: string): string {
  const names = new Map([...code.matchAll(/participant (\w+) as (.+)/g)].map(([, id = '', name = '']) => [id, name]));
  const nameOf = (id: string) => names.get(id) ?? id;
  const steps = code.split('\n').flatMap((line) => {
    const [, from = '', to = '', text] = /^\s*(\w+)\s*-[->x)]+>?\s*(\w+)\s*:\s*(.+)$/.exec(line) ?? [];
    const [, note] = /^\s*Note over [^:]+:\s*(.+)$/.exec(line) ?? [];
    return text !== undefined ? [`${nameOf(from)} to ${nameOf(to)}: ${text}`] : note !== undefined ? [note] : [];
  });
  return `Diagram. ${steps.join('. ')}`.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
