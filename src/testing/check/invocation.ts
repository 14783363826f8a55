import type { Context } from 'aws-lambda';
import type { Answer } from '../answer.ts';
import { lambdaContext } from '../lambda-context.ts';

/** Why an invocation comes. */
export type Role = 'first' | 'duplicate' | 'other' | 'retry' | 'check';

export interface Effect {
  readonly name: string;
  readonly key: string | undefined;
}

/** The clock of the run. */
interface Clock {
  now(): number;
  schedule(millis: number, fire: () => void, of: null): () => void;
}

const NEVER = new Promise<never>(() => undefined);

const NAMES: Readonly<Record<Role, string>> = {
  first: 'the first call',
  duplicate: 'a duplicate',
  other: 'a duplicate with another payload',
  retry: 'a retry',
  check: 'a retry after success',
};

/** One invocation of the function. It runs, stands still, or is dead; then it has no answer any more. */
export class Invocation {
  readonly role: Role;
  readonly name: string;
  readonly context: Context;
  readonly timeoutMillis: number;
  readonly effects: Effect[] = [];
  answer: Answer | undefined;
  /** How many calls the whole run had made when it ended. */
  placesAtEnd = 0;
  /** The name of the call that fails from now on. */
  outage: string | undefined;
  /** Whether a fault of the plan has struck it. */
  isFaulted = false;
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;
  #stopClock: () => void;
  readonly #time: Clock;

  constructor(role: Role, number: number, time: Clock, timeoutMillis: number) {
    this.role = role;
    this.name = `${NAMES[role]} (invocation ${number})`;
    this.timeoutMillis = timeoutMillis;
    this.#time = time;
    this.context = lambdaContext({ timeoutMillis, now: time.now, awsRequestId: `invocation-${number}` });
    this.#stopClock = this.#endAtTimeout();
  }

  /** Whether it may still answer. */
  get isRunning(): boolean {
    return this.answer === undefined && this.#state === 'running';
  }

  /** Whether its timers fire: a process that stands still, or has died, sees none. */
  get mayFire(): boolean {
    return this.#state === 'running';
  }

  /** Resolves while it runs, and never when it is dead. */
  async mayGoOn(): Promise<void> {
    while (this.#state === 'frozen') await this.#gate;
    if (this.#state === 'dead') await NEVER;
  }

  /** @returns whether it has ended, and its process can take the next invocation */
  end(answer: Answer | undefined): boolean {
    if (this.#state !== 'running' || this.answer !== undefined) return false;
    this.#stopClock();
    this.answer = answer;
    return true;
  }

  die(): Promise<never> {
    this.#state = 'dead';
    this.#stopClock();
    this.answer ??= { kind: 'died' };
    return NEVER;
  }

  async freeze(): Promise<void> {
    this.#stopClock();
    this.#state = 'frozen';
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
    await this.mayGoOn();
  }

  /** Goes on, with the time of another invocation to do so. */
  thaw(): void {
    this.#state = 'running';
    this.#stopClock = this.#endAtTimeout();
    this.#open();
  }

  #endAtTimeout(): () => void {
    // Not before timers of the same millisecond.
    return this.#time.schedule(this.timeoutMillis + 1, () => void (this.answer === undefined && this.die()), null);
  }
}
