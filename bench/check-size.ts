import { readFileSync } from 'node:fs';
import { bundle } from './bundle.ts';

/**
 * Fails when a minified bundle, Middy in it and the SDK, if any, beside it, has more bytes than `size-budget.json` allows. The same sources
 * and the same lock file give the same bytes. A budget that is larger than needed fails too, or growth would go unseen.
 */
const SLACK_BYTES = 1024;
/** Bytes: what the package shall not exceed. */
const TARGETS = { guardedHandler: 62_000, guardedApi: 74_000, guardedLite: 76_000 } as const;
const NAMES = {
  guardedHandler: 'idempotency + dynamoDBStore',
  guardedApi: 'httpIdempotency + dynamoDBStore',
  guardedLite: 'idempotency + dynamoDBStore of dynamodb/lite, nothing beside it',
} as const;

const budget: Readonly<Record<keyof typeof TARGETS, number>> = JSON.parse(
  readFileSync(new URL('size-budget.json', import.meta.url), 'utf8'),
);
for (const entry of ['guardedHandler', 'guardedApi', 'guardedLite'] as const) {
  const { bytes } = await bundle(entry, 'external');
  const [allowed, target] = [budget[entry], TARGETS[entry]];
  const met = bytes <= target ? 'met' : 'not met';
  console.log(`${NAMES[entry]}: ${bytes} bytes; ${allowed} are allowed; target ≤ ${target}, ${met}`);
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
