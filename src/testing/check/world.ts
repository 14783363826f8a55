import { AsyncLocalStorage } from 'node:async_hooks';
import type { Answer } from '../answer.ts';
import { lostAnswer } from '../faulty-store.ts';
import type { Fault, PlannedFault } from './faults.ts';
import { Invocation, type Role } from './invocation.ts';
import type { PortCall } from './ports.ts';
import { inTime, turn, type VirtualTime } from './virtual-time.ts';

/** What a world needs to know. All of it stays the same between the runs of a check. */
export interface WorldSettings {
  readonly event: unknown;
  readonly otherEvent: unknown;
  readonly timeoutMillis: number;
  readonly startedAt: number;
  readonly seed: number;
  /** Whether this call is an effect, and what tells it from others: `undefined` for a read. */
  effectOf(call: PortCall): { readonly key: string | undefined } | undefined;
  /** Names of the port functions that answer no promise: they are no places. Learned in the first run. */
  readonly synchronous: Set<string>;
  /** Real milliseconds that a run waits for work that is no call of a port, and the longest such work of the first call. */
  readonly patience: { millis: number; seenMillis: number };
  /** The first call of all has ended. */
  endFirstCall(): void;
  readonly plan: readonly PlannedFault[];
  readonly isFirst: boolean;
}

export type Handler = (event: unknown, context: unknown) => unknown;

/** An event loop turns this often without anything new before everything counts as waiting. */
const IDLE_TURNS = 4;
const MAX_REAL_MILLIS = 5000;

/** Outside of every invocation: the real time, and no other async context of the caller. */
const outside = AsyncLocalStorage.snapshot();
const current = new AsyncLocalStorage<Invocation>();

/** One run: processes, their invocations, a clock, and what happens at the places. */
export class World implements VirtualTime {
  readonly settings: WorldSettings;
  /** Names of the calls, in order: the places. */
  readonly places: string[] = [];
  readonly log: string[] = [];
  readonly invocations: Invocation[] = [];
  /** Frozen invocations, and calls whose answer comes late: each is let go on by its function. */
  readonly zombies: (() => void)[] = [];
  readonly #startProcess: () => Handler | Promise<Handler>;
  readonly #idle: Handler[] = [];
  readonly #timers = new Set<{ readonly due: number; readonly fire: () => void; readonly of: Invocation | null }>();
  readonly #pauses: (() => void)[] = [];
  readonly #inFlight = new Set<string>();
  readonly #real = { now: performance.now.bind(performance) };
  #elapsed = 0;
  #activity = 0;
  #random: number;

  constructor(settings: WorldSettings, startProcess: () => Handler | Promise<Handler>) {
    this.settings = settings;
    this.#startProcess = startProcess;
    this.#random = settings.seed;
  }

  now = (): number => this.settings.startedAt + this.#elapsed;
  elapsed = (): number => this.#elapsed;
  random = (): number => {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random / 2 ** 32;
  };

  schedule(millis: number, fire: () => void, of: Invocation | null = current.getStore() ?? null): () => void {
    const timer = { due: this.#elapsed + millis, fire, of };
    this.#timers.add(timer);
    this.#activity++;
    return () => void this.#timers.delete(timer);
  }

  /** Invokes the function as Lambda does: in an idle process, or in a new one. */
  async begin(role: Role, event: unknown = this.settings.event, isFresh = role !== 'retry'): Promise<Invocation> {
    const handler = (isFresh ? undefined : this.#idle.pop()) ?? (await outside(() => this.#startProcess()));
    const invocation = new Invocation(role, this.invocations.length + 1, this, this.settings.timeoutMillis);
    this.invocations.push(invocation);
    this.log.push(`${invocation.name} comes${this.#elapsed === 0 ? '' : ` after ${seconds(this.#elapsed)}`}`);
    const ended = (answer: Answer) => {
      this.#activity++;
      invocation.placesAtEnd = this.places.length;
      if (this.settings.isFirst) this.settings.endFirstCall();
      if (invocation.end(answer)) this.#idle.push(handler);
    };
    // A handler may change its event: a retry comes with the one that was sent.
    const given = structuredClone(event);
    const args = handler.length === 1 ? [given] : [given, invocation.context];
    outside(() =>
      inTime(this, () =>
        current.run(invocation, async () => {
          try {
            ended({ kind: 'returned', value: await (handler as (...args: unknown[]) => unknown)(...args) });
          } catch (error) {
            ended({ kind: 'threw', error });
          }
        }),
      ),
    );
    return invocation;
  }

  /** Lets time go by until the invocation has ended, or has died. */
  async drive(invocation: Invocation): Promise<void> {
    await this.#until(() => !invocation.isRunning);
  }

  async elapse(millis: number): Promise<void> {
    let isOver = false;
    this.schedule(millis, () => (isOver = true), null);
    await this.#until(() => isOver);
  }

  /** What a wrapped port does with a call. */
  through = (call: PortCall): unknown => {
    const invocation = current.getStore();
    if (invocation === undefined || this.settings.synchronous.has(call.name)) return call.perform();
    if (!this.settings.isFirst) return this.#place(invocation, call);
    const answer = outside(() => call.perform());
    if (isThenable(answer)) return this.#place(invocation, { ...call, perform: () => answer });
    this.settings.synchronous.add(call.name);
    return answer;
  };

  async #place(invocation: Invocation, call: PortCall): Promise<unknown> {
    this.#activity++;
    await invocation.mayGoOn();
    const at = this.places.push(call.name) - 1;
    const fault = this.settings.plan.find((planned) => planned.at === at)?.fault;
    if (invocation.outage === call.name) throw lostAnswer();
    if (fault === undefined) return this.#perform(invocation, call);
    invocation.isFaulted = true;
    return this.#strike(fault, invocation, call);
  }

  async #strike(fault: Fault, invocation: Invocation, call: PortCall): Promise<unknown> {
    const note = (what: string) => this.log.push(`${invocation.name}, at \`${call.name}\`: ${what}`);
    const perform = () => this.#perform(invocation, call);
    switch (fault) {
      case 'crash-before':
        note('the process dies in front of it');
        return invocation.die();
      case 'crash-after':
        await perform().catch(() => undefined);
        note('the process dies behind it');
        return invocation.die();
      case 'error-not-applied':
        note('it fails and has no effect');
        throw lostAnswer();
      case 'outage':
        note('it fails from now on');
        invocation.outage = call.name;
        throw lostAnswer();
      case 'error-applied':
        await perform().catch(() => undefined);
        note('its answer is lost');
        throw lostAnswer();
      case 'timeout': {
        const answer = await perform();
        note('its answer does not come in time');
        await new Promise<void>((resolve) => this.zombies.push(resolve));
        return answer;
      }
      case 'zombie':
      case 'zombie-error':
        note('the process stands still in front of it');
        this.zombies.push(() => {
          this.log.push(`${invocation.name} goes on${fault === 'zombie' ? '' : ', and the call fails'}`);
          invocation.thaw();
        });
        await invocation.freeze();
        if (fault === 'zombie') return perform();
        throw lostAnswer();
      default:
        return this.#interrupt(fault, invocation, perform);
    }
  }

  /** Lets duplicates come before the caller has its answer. Each of them ends, or waits, before the next one comes. */
  async #interrupt(fault: Fault, invocation: Invocation, perform: () => Promise<unknown>): Promise<unknown> {
    const comes = async (role: Role, event?: unknown) => {
      await this.begin(role, event);
      // Until it has ended, or waits.
      await new Promise<void>((resolve) => this.#pauses.push(resolve));
    };
    if (fault === 'duplicate-before') {
      await comes('duplicate');
      await comes('duplicate');
      return perform();
    }
    const answer = await perform().then(
      (value) => () => value,
      (error) => () => {
        throw error;
      },
    );
    if (fault === 'duplicate-late') {
      await new Promise<void>((resolve) => this.schedule(invocation.timeoutMillis / 2, resolve, null));
    }
    if (fault === 'other-payload') await comes('other', this.settings.otherEvent);
    else await comes('duplicate');
    await comes('duplicate');
    return answer();
  }

  async #perform(invocation: Invocation, call: PortCall): Promise<unknown> {
    const id = `${call.name} #${this.places.length}`;
    this.#inFlight.add(id);
    try {
      const value = await outside(() => call.perform());
      const effect = this.settings.effectOf(call);
      if (effect !== undefined && !isRefusedTransaction(call, value)) {
        invocation.effects.push({ name: call.name, key: effect.key });
        this.log.push(`${invocation.name}: \`${call.name}\` happens`);
      }
      return value;
    } finally {
      this.#inFlight.delete(id);
      this.#activity++;
      await invocation.mayGoOn();
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    const { patience } = this.settings;
    let seen = -1;
    let idleTurns = 0;
    let idleSince = this.#real.now();
    while (!holds()) {
      await turn();
      const real = this.#real.now();
      if (this.#inFlight.size > 0 || seen !== this.#activity) {
        if (seen !== this.#activity) {
          // Nothing was under way, and yet it went on: the next time, this may take many turns.
          if (idleTurns > 0) patience.seenMillis = Math.max(patience.seenMillis, real - idleSince);
          idleSince = real;
        }
        seen = this.#activity;
        idleTurns = 0;
        if (real - idleSince > MAX_REAL_MILLIS) throw hangs([...this.#inFlight]);
      } else if (++idleTurns > IDLE_TURNS && real - idleSince >= patience.millis) {
        idleTurns = 0;
        this.#goOn();
        seen = this.#activity;
        idleSince = real;
      }
    }
  }

  /** Everything waits: a paused caller goes on, or the clock moves to the next timer. */
  #goOn(): void {
    const pause = this.#pauses.shift();
    if (pause !== undefined) {
      pause();
      return;
    }
    const ready = [...this.#timers].filter(({ of }) => of === null || of.mayFire);
    const [next] = ready.sort((one, other) => one.due - other.due);
    if (next === undefined) throw new Error('middy-idempotency/testing: nothing is left to wait for');
    this.#timers.delete(next);
    this.#elapsed = Math.max(this.#elapsed, next.due);
    this.#activity++;
    outside(() => next.fire());
  }
}

const isThenable = (value: unknown): boolean => typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';

/** The store has written nothing of it: another execution was first, or a condition of its items failed. */
function isRefusedTransaction({ name }: PortCall, answer: unknown): boolean {
  return name === 'store.transact' && (answer as { done?: unknown }).done !== true;
}

function hangs(calls: readonly string[]): Error {
  const names = calls.map((call) => `\`${call.replace(/ #\d+$/, '')}\``).join(', ');
  return new Error(
    `middy-idempotency/testing: ${names} did not answer within ${MAX_REAL_MILLIS / 1000} s. ` +
      'Give the check a fake that answers.',
  );
}

const seconds = (millis: number) => `${Math.round(millis / 1000)} s`;
