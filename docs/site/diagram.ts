import { renderMermaidSVG } from 'beautiful-mermaid';

let count = 0;

/** Mermaid as an SVG in the page, in the colours of the theme. The code host draws the same text. */
export function diagram(code: string): string {
  count += 1;
  const svg = renderMermaidSVG(code, { bg: 'var(--sl-color-bg)', fg: 'var(--sl-color-text)', transparent: true })
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replaceAll(/\b(id="|url\(#)(?=[a-z])/g, `$1d${count}-`)
    .replace(/ style="[^"]*"/, '')
    .replaceAll(/^\s*\n/gm, '');
  return `<div class="diagram" tabindex="0" role="img" aria-label="Diagram: ${labelOf(code)}">${svg}</div>`;
}

const labelOf = (code: string) =>
  code
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.split(':').slice(1).join(':').trim())
    .join('; ')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;');
