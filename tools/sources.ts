import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * Given to Node with `--import`: the package by its public names is `src`, as the compiler has it, and not what was built
 * last. A process that is forked inherits it.
 */
const root = new URL('../', import.meta.url);
const { compilerOptions } = JSON.parse(readFileSync(new URL('tsconfig.json', root), 'utf8'));
const sources: Readonly<Record<string, readonly string[]>> = compilerOptions.paths;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const [source] = sources[specifier] ?? [];
    return nextResolve(source === undefined ? specifier : new URL(source, root).href, context);
  },
});
