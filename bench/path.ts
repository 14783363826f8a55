import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { context, httpEvent } from './event.ts';
import { instantClient } from './instant-client.ts';
import { type Handler, ourHandler, peerHandler } from './sides.ts';

/**
 * Counts the code of each package that a first call passes through, by the precise coverage of V8.
 * The client is a real one, without a network. Libraries do not count. With `--check` it fails beyond the limits.
 */
const LIMITS = { files: 28, functions: 110 } as const;
const TABLE = { tableName: 'idempotency' };

interface Path {
  readonly files: number;
  readonly functions: number;
  readonly calls: number;
}

const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
const ours = await pathOf(ourHandler(instantClient(), TABLE), /\/src\//);
const peer = await pathOf(peerHandler(instantClient(), TABLE), /\/@aws-lambda-powertools\/idempotency\/lib\//);
session.disconnect();

for (const [side, { files, functions, calls }] of Object.entries({ ours, peer })) {
  console.log(`${side}: ${files} files, ${functions} functions, ${calls} calls`);
}
for (const what of ['files', 'functions'] as const) {
  const met = ours[what] <= LIMITS[what];
  console.log(`ours: ${ours[what]} ${what}, target ≤ ${LIMITS[what]}, ${met ? 'met' : 'not met'}`);
  if (check && !met) process.exitCode = 1;
}

async function pathOf(handler: Handler, source: RegExp): Promise<Path> {
  const event = httpEvent('key-1');
  // V8 counts anew from each answer on.
  await session.post('Profiler.takePreciseCoverage');
  await handler(event, context());
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const files = result
    .filter(({ url }) => source.test(url))
    // What begins at 0 is the module itself.
    .map(({ functions }) => functions.flatMap(({ ranges }) => ranges).filter(({ startOffset }) => startOffset > 0))
    .map((functions) => functions.map(({ count }) => count).filter((count) => count > 0))
    .filter((counts) => counts.length > 0);
  const counts = files.flat();
  return { files: files.length, functions: counts.length, calls: counts.reduce((sum, count) => sum + count, 0) };
}
