import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Loader } from 'astro/loaders';
import { DOCS, idOf, pageFiles } from './files.ts';
import { mended } from './html.ts';
import { sitePage } from './page.ts';

/** The Markdown of `docs/`, where it is, and the reference that was generated from the types. */
export function pagesLoader(): Loader {
  return {
    name: 'pages',
    async load({ store, parseData, renderMarkdown, generateDigest, config, watcher }) {
      const sourceUrl = process.env['DOCS_SOURCE_URL'];

      async function sync(file: string): Promise<void> {
        const id = idOf(file);
        const { data: frontmatter, body } = sitePage({
          file,
          text: readFileSync(`${DOCS}${file}`, 'utf8'),
          base: config.base,
          sourceUrl,
        });
        const data = await parseData({ id, data: frontmatter, filePath: `${DOCS}${file}` });
        const { html, metadata } = await renderMarkdown(body, { fileURL: pathToFileURL(`${DOCS}${file}`) });
        const rendered = { html: mended(html), ...(metadata && { metadata }) };
        const assetImports = metadata?.imagePaths;
        const digest = generateDigest({ body, frontmatter });
        store.set({ id, data, body, filePath: file, digest, rendered, ...(assetImports && { assetImports }) });
      }

      store.clear();
      for (const file of pageFiles()) await sync(file);

      watcher?.add(DOCS);
      watcher?.on('all', async (_, path) => {
        const file = path.slice(DOCS.length);
        if (path.startsWith(DOCS) && pageFiles().includes(file)) await sync(file);
      });
    },
  };
}
