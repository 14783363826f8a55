import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { usageFailure } from './failure.ts';

/** What a command uses of its surroundings. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  now(): number;
  /** Results. */
  out(text: string): void;
  /** Everything else that the operator reads. */
  tell(text: string): void;
  /** The content of a file, or of standard input for `-`. */
  read(file: string): Promise<string>;
  /** Asks the operator; `undefined` where there is no terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
}

export function processTerminal(): Terminal {
  // The reader of the results may close the pipe early (`| head`). The command has done its work by
  // then.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const isAttended = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    environment: process.env,
    now: () => Date.now(),
    out: (text) => void process.stdout.write(text),
    tell: (text) => void process.stderr.write(text),
    read: (file) => (file === '-' ? text(process.stdin) : readFile(file, 'utf8')).catch(cannotRead(file)),
    ask: isAttended ? ask : undefined,
  };
}

function cannotRead(file: string) {
  return (error: Error): never => {
    throw usageFailure(`${file} cannot be read: ${error.message}`);
  };
}

/** The empty answer when the input ends (Ctrl-D) or is interrupted (Ctrl-C). */
function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Node 22 leaves the question open then; Node 24 rejects it.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  return Promise.race([lines.question(question).catch(() => ''), ended]).finally(() => lines.close());
}
