import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { HistoryEvent } from '../lib/history.ts';
import type { Random } from '../lib/random.ts';
import type { ClientTask } from './client-process.ts';
import type { TrueTime } from './clock.ts';
import { type Entry, readJournal } from './journal.ts';
import { MAX_OFFSET_MILLIS } from './terms.ts';

const PROGRAM = new URL('./client-process.ts', import.meta.url);

type Given = Pick<ClientTask, 'seed' | 'store' | 'endpoint' | 'tableName'>;
type Part = Pick<ClientTask, 'clients' | 'role'>;

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

/** The processes that the clients live in. Whichever ends by itself in a storm is replaced by another one. */
export class ClientProcesses {
  readonly #given: Given;
  readonly #folder: string;
  readonly #time: TrueTime;
  readonly #random: Random;
  readonly #running = new Set<Running>();
  readonly #journals: string[] = [];
  readonly #ends = new Map<string, number>();
  readonly #broken: string[] = [];
  #isStorm = false;
  /** How many were started, and how many of them died by a SIGKILL. */
  readonly counts = { started: 0, killed: 0 };

  constructor(given: Given, folder: string, time: TrueTime, random: Random) {
    this.#given = given;
    this.#folder = folder;
    this.#time = time;
    this.#random = random;
  }

  storm(processes: number, clients: number): void {
    this.#isStorm = true;
    const role = { type: 'storm', startedAt: this.#time.now() } as const;
    for (let index = 0; index < processes; index++) this.#start({ clients, role });
  }

  /** SIGKILL to one of them, in the middle of whatever its clients are doing. */
  killOne(): void {
    const all = [...this.#running];
    all[this.#random.between(0, all.length - 1)]?.child.kill('SIGKILL');
  }

  /** The clients end the calls that end soon; the others are cut off. */
  async endStorm(): Promise<void> {
    this.#isStorm = false;
    for (const { child } of this.#running) if (child.connected) child.send('stop');
    await Promise.all([...this.#running].map(({ exited }) => exited));
  }

  async probe(keys: readonly string[], clients: number): Promise<void> {
    const { exited } = this.#start({ clients, role: { type: 'probe', keys } });
    await exited;
  }

  /** Whatever still runs. */
  async killAll(): Promise<void> {
    this.#isStorm = false;
    const all = [...this.#running];
    for (const { child } of all) child.kill('SIGKILL');
    await Promise.all(all.map(({ exited }) => exited));
  }

  /** @throws Error when one of them failed, as no client ever should */
  check(): void {
    if (this.#broken.length > 0) throw new Error(`a process of clients failed: ${this.#broken.join(', ')}`);
  }

  /** All that they wrote down, and which calls ended with their process. */
  read(): Entry[] {
    return this.#journals.flatMap((journal) => {
      const entries = readJournal(journal);
      return [...entries, ...crashes(entries, this.#ends.get(journal) ?? this.#time.now())];
    });
  }

  #start(part: Part): Running {
    const name = `p${this.counts.started++}`;
    const journal = join(this.#folder, `${name}.jsonl`);
    const offsetMillis = this.#random.between(-MAX_OFFSET_MILLIS, MAX_OFFSET_MILLIS);
    const task: ClientTask = {
      ...this.#given,
      ...part,
      name,
      journal,
      offsetMillis,
      epochMillis: this.#time.epochMillis,
    };
    const child = fork(PROGRAM, [JSON.stringify(task)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const running: Running = { child, exited: once(child, 'exit') };
    this.#running.add(running);
    this.#journals.push(journal);
    child.on('exit', (code, signal) => {
      this.#running.delete(running);
      this.#ends.set(journal, this.#time.now());
      if (signal === 'SIGKILL') this.counts.killed++;
      else if (code !== 0) this.#broken.push(`${name} ended by itself with exit code ${code}`);
      if (this.#isStorm && this.#broken.length === 0) this.#start(part);
    });
    return running;
  }
}

function crashes(entries: readonly Entry[], at: number): HistoryEvent[] {
  const open = new Set<string>();
  for (const entry of entries) {
    if (entry.type === 'called') open.add(entry.call);
    if (entry.type === 'answered') open.delete(entry.call);
  }
  return [...open].map((call) => ({ type: 'crashed', at, call }));
}
