import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Stopped } from './stop.ts';
import type { Answer, Setting, ToProcess } from './terms.ts';

const PROGRAM = new URL('./process.ts', import.meta.url);
const PIPE = 4;
const PATIENCE_MILLIS = 180_000;

/** A process that makes calls. */
export class Child {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  readonly #killed = Promise.withResolvers<undefined>();
  #waiting: PromiseWithResolvers<Answer> | undefined;

  /** `onStop` is asked at every place where the process stops: whether it may go on. */
  constructor(setting: Setting, compileCache: string, onStop: (stopped: Stopped) => Promise<boolean>) {
    this.#child = fork(PROGRAM, [JSON.stringify(setting)], {
      // Nothing of a test runner that this may run in.
      execArgv: [],
      execPath: process.execPath,
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.on('message', (answer: Answer) => this.#waiting?.resolve(answer));
    this.#child.on('exit', (code, signal) =>
      this.#waiting?.reject(new Error(`a process ended by itself: ${signal ?? code}`)),
    );
    const pipe = this.#child.stdio[PIPE] as Socket;
    // It may be killed while it is being answered.
    pipe.on('error', () => undefined);
    const lines = createInterface({ input: pipe });
    lines.on('error', () => undefined);
    lines.on('line', async (line) => {
      try {
        if (await onStop(JSON.parse(line) as Stopped)) pipe.write('.');
      } catch (error) {
        this.#waiting?.reject(error);
      }
    });
  }

  /** @returns undefined when it was killed meanwhile. @throws Error when it does not answer, or ends by itself */
  async ask(message: ToProcess): Promise<Answer | undefined> {
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting = waiting;
    const patience = setTimeout(
      () => waiting.reject(new Error(`no answer to ${JSON.stringify(message)}`)),
      PATIENCE_MILLIS,
    );
    this.#child.send(message, (error) => {
      if (error !== null) waiting.reject(error);
    });
    try {
      return await Promise.race([waiting.promise, this.#killed.promise]);
    } finally {
      clearTimeout(patience);
    }
  }

  /** SIGKILL. @throws Error when it was not that which ended it */
  async kill(): Promise<void> {
    this.#waiting?.promise.catch(() => undefined);
    this.#waiting = undefined;
    this.#child.kill('SIGKILL');
    const [, signal] = await this.#exited;
    this.#killed.resolve(undefined);
    if (signal !== 'SIGKILL') throw new Error(`a process ended by itself, and not by SIGKILL: ${signal}`);
  }
}
