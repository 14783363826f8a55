import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The runner imports the package by its name, as a user would: that is `dist`. */
export async function buildPackage(): Promise<void> {
  const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  for (const args of [[compiler, '-p', 'tsconfig.build.json'], ['tools/executable.ts']]) {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  }
}

export interface Runner {
  readonly child: ChildProcess;
  /** Everything that it has printed so far. */
  output(): string;
  /** Resolves with the first match in the output. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exitCode: Promise<number | null>;
  /** Ctrl-C: as a terminal does, it interrupts the runner and whatever that has started. */
  pressControlC(): void;
}

/** `node infra/local/main.ts` with these arguments, and this in its environment; `undefined` takes a variable away. */
export function startRunner(environment: NodeJS.ProcessEnv, args: readonly string[] = []): Runner {
  const child = spawn(process.execPath, ['infra/local/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as under a terminal.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const exitCode = once(child, 'close').then(([code]) => code as number | null);
  let ended = false;
  void exitCode.then(() => {
    ended = true;
  });

  return {
    child,
    output: () => output,
    exitCode,
    pressControlC() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    },
    async until(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (ended) throw new Error(`the runner ended without printing ${pattern}:\n${output}`);
        await Promise.race([once(child.stdout, 'data'), exitCode]);
      }
    },
  };
}

export interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

/** Whether the printed lines can be run as they are. */
export const hasShell = spawnSync('curl', ['--version']).status === 0 && spawnSync('bash', ['--version']).status === 0;

/** What a printed line prints, with bash, in the folder in which the runner was started. */
export async function paste(line: string): Promise<string> {
  return (await promisify(execFile)('bash', ['-c', line], { cwd: ROOT })).stdout;
}

/** Does what a printed line does: with bash and curl, or without them with `fetch`. */
export async function runLine(line: string): Promise<Answer[]> {
  if (!hasShell) return Promise.all(line.split(' & ').filter(isCurl).map(fetchLine));
  return Array.from((await paste(line)).matchAll(/^(.*) \[(\d{3})\]$/gm), ([, body = '', statusCode]) => ({
    statusCode: Number(statusCode),
    body,
  }));
}

function isCurl(part: string): boolean {
  return part.includes('curl ');
}

async function fetchLine(line: string): Promise<Answer> {
  const [, url = ''] = /(http:\S+)/.exec(line) ?? [];
  const [, body = ''] = /-d '([^']*)'/.exec(line) ?? [];
  const headers = Array.from(line.matchAll(/-H '([^:]+): ([^']*)'/g), ([, name = '', value = '']) => [name, value]);
  const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body });
  return { statusCode: response.status, body: await response.text() };
}
