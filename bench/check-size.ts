import { readFileSync } from 'node:fs';
import { addedBytes, type Sdk } from './bundle.ts';

/**
 * Fails when the package adds more bytes to a minified bundle than `size-budget.json` allows. The same sources and the
 * same lock file give the same bytes. A budget that is larger than needed is said to be so: lower it, or growth goes unseen.
 */
const SLACK_BYTES = 1024;
const budget: Readonly<Record<Sdk, number>> = JSON.parse(
  readFileSync(new URL('size-budget.json', import.meta.url), 'utf8'),
);
for (const sdk of ['bundled', 'external'] as const) {
  const bytes = await addedBytes('ours', sdk);
  const allowed = budget[sdk];
  console.log(`${bytes} bytes added to a minified bundle, SDK ${sdk}; ${allowed} are allowed`);
  if (bytes > allowed) {
    console.error(
      `${bytes - allowed} bytes too many: look for what is not needed, or raise size-budget.json and say why`,
    );
    process.exitCode = 1;
  } else if (allowed - bytes > SLACK_BYTES) {
    console.error(`size-budget.json allows ${allowed - bytes} bytes more than are needed: lower it`);
    process.exitCode = 1;
  }
}
