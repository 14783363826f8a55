import { posix } from 'node:path';
import { diagram } from './diagram.ts';
import { entryOf, GENERATED, idOf } from './files.ts';
import { frontPage } from './front-page.ts';

export interface SourcePage {
  /** From `docs/`. */
  readonly file: string;
  readonly text: string;
  /** What every path of the site begins with: `/`, or `/name/`. */
  readonly base: string;
  /** Where the files of the repository are on the code host, if that is known. */
  readonly sourceUrl?: string | undefined;
}

export interface SitePage {
  readonly data: Readonly<Record<string, unknown>> & { readonly title: string };
  readonly body: string;
}

/** A page of the repository as the site shows it. On the code host it stays as it is. */
export function sitePage(page: SourcePage): SitePage {
  const isGenerated = page.file.startsWith(GENERATED);
  const text = (isGenerated ? compact(page.text) : page.text).replace(
    /^# .+\n+/m,
    isGenerated ? `[All entry points](${page.base}reference/api/)\n\n` : '',
  );
  const body = mapProse(text, (prose) => linked(prose, page))
    .replaceAll(/^```mermaid\n([\s\S]*?)^```$/gm, (_, code: string) => diagram(code))
    .replace('<!-- playground -->', playground(page.base))
    .replaceAll(/<!-- file: (\S+) -->\n```(\w+)/g, (_, file: string, language: string) => {
      return `\`\`\`${language} title="${posix.basename(file)}"`;
    });
  const data = {
    ...(page.file === 'playground.md' && { template: 'splash' }),
    title: titleOf(page),
    description: descriptionOf(text),
    ...(isGenerated && { tableOfContents: { maxHeadingLevel: 2 } }),
    // Each has the same three headings.
    ...(/^adr\/\d/.test(page.file) && { tableOfContents: false }),
  };
  return page.file === 'README.md' ? frontPage({ data, body }) : { data, body };
}

function titleOf({ file, text }: SourcePage): string {
  if (file.startsWith(GENERATED)) return ['middy-idempotency', entryOf(file)].filter((part) => part !== '').join('/');
  const [, title = file] = /^# (.+)$/m.exec(text) ?? [];
  return title.replaceAll('`', '');
}

/** TypeDoc's headings without a name (`Parameters`, `Returns`) are not worth an anchor. */
const compact = (text: string) =>
  text
    .replaceAll(/^#{3,} (?!Constructor$)(\p{Lu}[a-z]+( [A-Za-z][a-z]+)*)$/gmu, '**$1**')
    .replaceAll(' :------ |', ' --- |')
    .replaceAll(/^\*\*\*\n/gm, '');

/** Changes what is outside of code blocks. */
const mapProse = (text: string, change: (prose: string) => string) =>
  text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');

function linked(prose: string, page: SourcePage): string {
  const link = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g;
  return prose.replaceAll(link, (whole, image: string, text: string, target: string) => {
    if (image !== '' || /^([a-z]+:|[#/])/.test(target)) return whole;
    const url = urlOf(target, page);
    return url === undefined ? text : `[${text}](${url})`;
  });
}

/** Of a relative link. A file of the repository that is no page has a URL only where the code host is known. */
function urlOf(target: string, { file, base, sourceUrl }: SourcePage): string | undefined {
  const [path = '', anchor] = target.split('#');
  const absolute = posix.join('docs', posix.dirname(file), path);
  const hash = anchor === undefined ? '' : `#${anchor}`;
  const [, report] = /^api\/(.+)\.api\.md$/.exec(absolute) ?? [];
  if (report !== undefined)
    return `${base}reference/api/${report.replace('-', '/').replace(/^index$/, 'main')}/${hash}`;
  if (absolute.startsWith('docs/') && absolute.endsWith('.md')) {
    const id = idOf(absolute.slice('docs/'.length));
    return id === 'index' ? `${base}${hash}` : `${base}${id}/${hash}`;
  }
  return sourceUrl === undefined ? undefined : `${sourceUrl}/${absolute}${hash}`;
}

/** Its module is built into `public`. It finds the table of decisions by its attribute. */
const playground = (
  base: string,
) => `<idempotency-playground protocol="${base}explain/protocol/"></idempotency-playground>
<script type="module" src="${base}playground/playground.js"></script>`;

/** The first sentence, without marks. */
function descriptionOf(text: string): string {
  const line = text.split('\n').find((one) => /^[A-Z`*[]/.test(one)) ?? '';
  const plain = line.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
  return plain.split(/(?<=\.) /)[0] ?? '';
}
