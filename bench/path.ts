import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { context, httpEvent } from './event.ts';
import { instantClient } from './instant-client.ts';
import { type Handler, ourHandler, peerHandler } from './sides.ts';

/**
 * Counts the code of each package that a first call passes through, by the precise coverage of V8.
 * The client is a real one, without a network. Libraries do not count.
 */
const HELP = `npm run bench:path -- [--list] [--check]

Counts the files, functions and calls that a first call passes through, for this package and for the peer.

  --list   prints each file with its functions
  --check  fails beyond the limits
  --help
`;

const LIMITS = { files: 28, functions: 110 } as const;
const TABLE = { tableName: 'idempotency' };

interface FilePath {
  readonly file: string;
  /** The functions that were called. */
  readonly functions: readonly { readonly name: string; readonly calls: number }[];
}

const flag = { type: 'boolean', default: false } as const;
const { check, list, help } = parseArgs({ options: { check: flag, list: flag, help: flag } }).values;
if (help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const ours = await pathOf(session, ourHandler(instantClient(), TABLE), /\/src\//);
  const peer = await pathOf(
    session,
    peerHandler(instantClient(), TABLE),
    /\/@aws-lambda-powertools\/idempotency\/lib\//,
  );
  session.disconnect();
  if (list) for (const { file, functions } of ours) console.log(`${file}: ${functions.map(shown).join(', ')}`);
  const [own, other] = [total(ours), total(peer)];
  console.log(`ours: ${own.files} files, ${own.functions} functions, ${own.calls} calls`);
  console.log(`peer: ${other.files} files, ${other.functions} functions, ${other.calls} calls`);
  for (const what of ['files', 'functions'] as const) {
    const met = own[what] <= LIMITS[what];
    console.log(`ours: ${own[what]} ${what}, target ≤ ${LIMITS[what]}, ${met ? 'met' : 'not met'}`);
    if (check && !met) process.exitCode = 1;
  }
}

async function pathOf(session: Session, handler: Handler, source: RegExp): Promise<FilePath[]> {
  const event = httpEvent('key-1');
  // V8 counts anew from each answer on.
  await session.post('Profiler.takePreciseCoverage');
  await handler(event, context());
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => source.test(url))
    .map(({ url, functions }) => ({
      file: url.replace(/.*\/(?=src\/)/, ''),
      functions: functions
        .map(({ functionName, ranges: [range] }) => ({ name: functionName, range }))
        // The range that begins at 0 is the module itself.
        .filter(({ range }) => range !== undefined && range.startOffset > 0 && range.count > 0)
        .map(({ name, range }) => ({ name, calls: range?.count ?? 0 })),
    }))
    .filter(({ functions }) => functions.length > 0);
}

function shown({ name, calls }: { readonly name: string; readonly calls: number }): string {
  return calls === 1 ? name || '(arrow)' : `${name || '(arrow)'} ×${calls}`;
}

function total(path: readonly FilePath[]) {
  const functions = path.flatMap((file) => file.functions);
  const calls = functions.reduce((sum, one) => sum + one.calls, 0);
  return { files: path.length, functions: functions.length, calls };
}
