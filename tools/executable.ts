import { chmodSync, readFileSync } from 'node:fs';

/**
 * Makes the built programs of this package executable. npm does that when it installs them, and not when they are built anew:
 * `npx` in this folder would then say "Permission denied".
 */
const root = new URL('../', import.meta.url);
const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
for (const path of Object.values<string>(bin)) chmodSync(new URL(path, root), 0o755);
