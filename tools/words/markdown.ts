import type { Block } from './findings.ts';

/**
 * The prose of Markdown, in blocks: paragraphs, headings, items of lists, cells of tables. Code blocks and comments are
 * left out, a link is its text.
 */
export function blocksOfMarkdown(source: string, firstLine = 1): readonly Block[] {
  const blocks: Block[] = [];
  let open: { line: number; lines: string[] } | undefined;
  let fence: string | undefined;
  const close = () => {
    if (open !== undefined) blocks.push({ line: open.line, text: inline(open.lines.join('\n')) });
    open = undefined;
  };
  source
    .replaceAll(/<!--[\s\S]*?-->/g, (comment) => comment.replaceAll(/[^\n]/g, ''))
    .split('\n')
    .forEach((text, index) => {
      const line = firstLine + index;
      const mark = /^\s*(```+|~~~+)/.exec(text)?.[1];
      if (mark !== undefined) {
        close();
        fence = fence === undefined ? mark : fence.startsWith(mark) ? undefined : fence;
      } else if (fence !== undefined) {
        return;
      } else if (text.trim() === '') {
        close();
      } else if (/^\s*\|/.test(text)) {
        close();
        blocks.push(...cellsOf(text).map((cell) => ({ line, text: inline(cell) })));
      } else if (/^\s*(#{1,6} |[-*+] |\d+\. |>)/.test(text)) {
        close();
        open = { line, lines: [text.replace(/^\s*(#{1,6}|[-*+]|\d+\.|>)\s*/, '')] };
        if (text.trimStart().startsWith('#')) close();
      } else if (open === undefined) {
        open = { line, lines: [text] };
      } else {
        open.lines.push(text);
      }
    });
  close();
  return blocks;
}

function cellsOf(row: string): readonly string[] {
  const masked = row.replaceAll('\\|', '  ');
  return masked.split('|').filter((cell) => /\p{L}/u.test(cell));
}

function inline(text: string): string {
  return text
    .replaceAll(/!?\[((?:[^[\]]|\[[^\]]*\])*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\{@link ([^}]*)\}/g, '`$1`')
    .replaceAll(/\*\*|__|<\/?[a-z][^>]*>/g, '');
}
