import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, transform } from 'esbuild';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The folder with the page and its module, when they are built. */
export const BUILT = here('dist/');

/** What stands in a browser in the place of modules of Node.js. */
const SHIMS: readonly (readonly [module: RegExp, file: string])[] = [
  [/\/builtins\.ts$/, here('shims/builtins.ts')],
  [/^node:buffer$/, here('shims/buffer.ts')],
  [/^node:(timers|http|stream.*)$/, here('shims/node.ts')],
];

const shims: Plugin = {
  name: 'shims',
  setup({ onResolve }) {
    for (const [filter, path] of SHIMS) onResolve({ filter }, () => ({ path }));
  },
};

const styles: Plugin = {
  name: 'styles',
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

/**
 * Builds `playground.js`, one module that defines `<idempotency-playground>` and loads nothing else, and `index.html`, a page
 * with it alone.
 *
 * @returns the size of the module, bytes
 * @throws Error when it cannot be built; esbuild prints why
 */
export async function buildPlayground(folder = BUILT): Promise<number> {
  await mkdir(folder, { recursive: true });
  const outfile = `${folder}/playground.js`;
  const { metafile } = await build({
    entryPoints: [here('view/main.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    minify: true,
    inject: [here('shims/globals.ts')],
    plugins: [shims, styles],
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  await copyFile(here('index.html'), `${folder}/index.html`);
  return Object.values(metafile.outputs)[0]?.bytes ?? 0;
}
