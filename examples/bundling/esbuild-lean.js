import { build } from 'esbuild';

const credentials = './lambda-credentials.cjs';

await build({
  entryPoints: ['primed-handler.js'],
  bundle: true,
  platform: 'node',
  target: 'node22',
  mainFields: ['module', 'main'],
  minify: true,
  format: 'esm',
  outfile: 'dist-lean/handler.mjs',
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  alias: {
    'node:http': './node-http.cjs',
    '@aws-sdk/credential-provider-ini': credentials,
    '@aws-sdk/credential-provider-process': credentials,
    '@aws-sdk/credential-provider-sso': credentials,
    '@aws-sdk/credential-provider-web-identity': credentials,
  },
});
