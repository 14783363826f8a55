import { build } from 'esbuild';

const shared = {
  entryPoints: ['handler.js'],
  bundle: true,
  platform: 'node',
  target: 'node22',
  mainFields: ['module', 'main'],
  minify: true,
};

await build({ ...shared, format: 'cjs', outfile: 'dist/handler.cjs' });

// For a handler with a top-level await.
await build({
  ...shared,
  format: 'esm',
  outfile: 'dist/handler.mjs',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  alias: { 'node:http': './node-http.cjs' },
});
