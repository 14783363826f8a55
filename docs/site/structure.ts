import { readFileSync } from 'node:fs';
import { DOCS, idOf } from './files.ts';

interface Group {
  readonly label: string;
  readonly collapsed: boolean;
  readonly items: { readonly label: string; readonly slug: string }[];
}

/** The sidebar is the index of `docs/README.md`: its second-level headings, and the first link of each line. */
export function sidebar(): Group[] {
  const [, ...sections] = readFileSync(`${DOCS}README.md`, 'utf8').split(/^## /m);
  return sections.map((section) => groupOf(section)).filter(({ items }) => items.length > 0);
}

function groupOf(section: string): Group {
  const [heading = '', ...lines] = section.split('\n');
  const items = lines.flatMap((line) => {
    const [, label = '', file = ''] = /\[([^\]]+)\]\(([^)#]+\.md)\)/.exec(line) ?? [];
    return label === '' || file.startsWith('..') ? [] : [{ label, slug: idOf(file) }];
  });
  return { label: heading, collapsed: heading !== 'Start', items };
}
