import { satteri } from '@astrojs/markdown-satteri';
import starlight from '@astrojs/starlight';
import { defineConfig } from 'astro/config';
import { sidebar } from './site/structure.ts';

/** Where the site will stand, as the release workflow knows it. `DOCS_BASE` begins and ends with a slash. */
const { DOCS_SITE, DOCS_BASE = '/' } = process.env;

export default defineConfig({
  ...(DOCS_SITE !== undefined && { site: DOCS_SITE }),
  base: DOCS_BASE,
  srcDir: './site',
  publicDir: './site/public',
  trailingSlash: 'always',
  server: { host: '127.0.0.1' },
  devToolbar: { enabled: false },
  markdown: { processor: satteri({ features: { smartPunctuation: false } }) },
  integrations: [
    starlight({
      title: 'middy-idempotency',
      description: 'Makes AWS Lambda handlers safe to retry.',
      favicon: '/favicon.svg',
      customCss: ['./site/theme.css'],
      // Plainer than Starlight's own, which make up a fourth of a page.
      components: Object.fromEntries(
        ['Sidebar', 'ThemeProvider', 'ThemeSelect'].map((name) => [name, `./site/components/${name}.astro`]),
      ),
      sidebar: sidebar(),
      // "On this page" links to each section. A link at each heading would be a tenth of the site.
      markdown: { headingLinks: false },
      expressiveCode: {
        themes: ['github-dark', 'github-light'],
        styleOverrides: { borderRadius: '0.4rem' },
      },
      credits: false,
      pagination: true,
    }),
  ],
});
