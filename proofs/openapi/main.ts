import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { leash } from '../../tools/leash.ts';
import { oneOf, whole } from '../../tools/options.ts';
import { installFromPyPI } from '../../tools/python.ts';

/** From PyPI, MIT. It makes requests of an OpenAPI document, valid and invalid ones, and checks the answers against it. */
const PACKAGE = 'schemathesis==4.32.5';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const OPTIONS = {
  store: oneOf('The database of the example.', ['dynamodb', 'postgres']),
  examples: whole('How many requests for each operation and phase, at most.', { from: 1, or: 100 }),
  seed: whole('Decides which requests.', { from: 0, to: 2 ** 32 - 1, or: 1 }),
};

async function run({ store, examples, seed }: SettingsOf<typeof OPTIONS>, stops: Stop[]): Promise<boolean> {
  const programs = installFromPyPI(PACKAGE);
  const address = await startExample(store, stops);
  // Schemathesis keeps what it has found where it is started, and so finds the settings there.
  const folder = mkdtempSync(join(tmpdir(), 'middy-idempotency-openapi-'));
  stops.push(async () => rmSync(folder, { recursive: true, force: true }));
  for (const file of ['schemathesis.toml', 'hooks.py']) cpSync(here(file), join(folder, file));
  const child = spawn(
    join(programs, 'schemathesis'),
    [
      'run',
      here('../../infra/payments/openapi.json'),
      ...['--url', address, '--continue-on-failure'],
      ...['--max-examples', String(examples), '--seed', String(seed)],
    ],
    { cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, PYTHONPATH: folder }, stdio: 'inherit' },
  );
  stops.push(() => ended(child, 'SIGTERM'));
  const [code] = await once(child, 'exit');
  return code === 0;
}

/** The example as `npm start` runs it, on a free port of this machine. Answers its address. */
async function startExample(store: string, stops: Stop[]): Promise<string> {
  const child = spawn(process.execPath, [here('../../infra/local/main.ts'), '--store', store], {
    env: { ...process.env, PORT: '0', PROCESSOR_LATENCY_MILLIS: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  leash(child);
  stops.push(() => ended(child, 'SIGINT'));
  let output = '';
  return new Promise((resolve, reject) => {
    // It is read to the end: a pipe that is full would stop the example.
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const [, address] = /^Payments at (http:\/\/127\.0\.0\.1:\d+)\/payments/m.exec(output) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(`The example ended at its start:\n${output}`)));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

await runCommand({
  name: 'test:openapi',
  about: `
    Starts the example API on this machine and has Schemathesis compare it with infra/payments/openapi.json: every valid
    request must be taken, every invalid one refused, and every answer documented. Needs Python 3, and PyPI at the first time.`,
  takesEndpoint: true,
  options: OPTIONS,
  run,
});
