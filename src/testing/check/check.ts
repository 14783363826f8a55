import { isDeepStrictEqual } from 'node:util';
import { memoryStore } from '../../stores/memory.ts';
import { isSuccessful } from '../answer.ts';
import { adviceOf, messageOf } from './advice.ts';
import { FAULTS, type Fault, type PlannedFault } from './faults.ts';
import { type Baseline, countEffects, judge, type Verdict } from './judge.ts';
import type { CheckOptions } from './options.ts';
import { otherPayloads } from './other-payload.ts';
import { isRead, keyOfCall, type PortCall, wrapPorts } from './ports.ts';
import { CheckReport, type Finding, NotIdempotentError } from './report.ts';
import { type Ended, play, playOther } from './scenario.ts';
import { withVirtualTime } from './virtual-time.ts';
import { type Handler, World } from './world.ts';

/**
 * Proves a handler safe to retry, or finds out why it is not. It counts the calls of an undisturbed run, and runs the handler
 * again for each call and each fault: crashes, lost answers, timeouts, duplicates, zombies. Callers then retry. Time is simulated.
 *
 * @throws TypeError when the check cannot tell: the event does not succeed, no effect is called, the effects keep state
 * @throws Error when a port does not answer within 5 seconds of real time
 */
export function checkIdempotency<TPorts extends object, TEvent>(
  options: CheckOptions<TPorts, TEvent>,
): Promise<CheckReport> {
  return withVirtualTime(() => new Check(options as unknown as CheckOptions<object, unknown>).run());
}

/** The same, for a test. @throws NotIdempotentError whose message is the report, when there is a finding */
export async function expectIdempotent<TPorts extends object, TEvent>(
  options: CheckOptions<TPorts, TEvent>,
): Promise<CheckReport> {
  const report = await checkIdempotency(options);
  if (report.findings.length > 0) throw new NotIdempotentError(report);
  return report;
}

/** Real milliseconds that the first call of all may wait for work that is no call of a port, and all others. */
const FIRST_PATIENCE_MILLIS = 250;
const MIN_PATIENCE_MILLIS = 20;
const MAX_PATIENCE_MILLIS = 100;

class Check {
  readonly #options: CheckOptions<object, unknown>;
  readonly #seed: number;
  readonly #startedAt = Date.now();
  readonly #synchronous = new Set<string>();
  readonly #patience = { millis: FIRST_PATIENCE_MILLIS, seenMillis: 0 };
  readonly #findings = new Map<string, Finding>();
  #runs = 0;
  #baseline: Baseline = new Map();
  #otherEvent: unknown;

  constructor(options: CheckOptions<object, unknown>) {
    for (const name of ['handler', 'event', 'effects'] as const) {
      if (options[name] === undefined) throw new TypeError(`checkIdempotency: option \`${name}\` is missing`);
    }
    this.#options = options;
    this.#seed = options.seed ?? 1;
  }

  /** What took its time may take longer the next time. */
  #endFirstCall(): void {
    const { seenMillis } = this.#patience;
    if (seenMillis === 0) this.#patience.millis = 0;
    else this.#patience.millis = Math.min(Math.max(10 * seenMillis, MIN_PATIENCE_MILLIS), MAX_PATIENCE_MILLIS);
  }

  async run(): Promise<CheckReport> {
    const places = await this.#undisturbed();
    const faults = await this.#possibleFaults();
    const longer = new Map<PlannedFault, number>();
    // The simplest fault comes first, so that the first schedule that shows a problem is a simple one.
    for (const fault of faults) {
      for (let at = 0; at < places.length; at++) {
        const ended = await this.#play([{ at, fault }]);
        longer.set({ at, fault }, ended.world.places.length);
      }
    }
    await this.#pairs(longer, faults);
    const notes = [...this.#synchronous].map((name) => `\`${name}\` answers no promise: no fault was tried at it`);
    if (this.#patience.millis > 0) notes.push(SLOW);
    return new CheckReport({
      findings: [...this.#findings.values()],
      runs: this.#runs,
      places: places.map((_, at) => labelOf(places, at)),
      notes,
    });
  }

  /** Learns what the handler calls, and how often. @throws TypeError when the check cannot tell anything */
  async #undisturbed(): Promise<readonly string[]> {
    const world = await this.#world([], true);
    const ended = await play(world);
    const [first] = world.invocations;
    if (first === undefined || !isSuccessful(first.answer)) throw notSuccessful(first?.answer, this.#timeoutMillis);
    this.#baseline = countEffects([first]);
    if (this.#baseline.size === 0) {
      throw new TypeError(
        'checkIdempotency: the handler called no effect. Hand every client that it calls to the check, as `effects`, and use ' +
          'what `handler` gets. Calls that answer no promise, and calls named as reads, are no effects.',
      );
    }
    const places = world.places.slice(0, first.placesAtEnd);
    this.#judge(ended, []);
    const again = await play(await this.#world([]));
    if (!isDeepStrictEqual(again.world.places, world.places)) {
      throw new TypeError(
        'checkIdempotency: a second run without faults made other calls than the first one. Either the effects keep state: ' +
          'give `effects: () => ({ … })`, which makes them anew. Or the handler depends on chance or on the real time.',
      );
    }
    return places;
  }

  get #timeoutMillis(): number {
    return this.#options.timeoutMillis ?? 30_000;
  }

  /** Another payload is tried only if the guard takes it for the same request: under another key, it is a request of its own. */
  async #possibleFaults(): Promise<readonly Fault[]> {
    const all = Object.keys(FAULTS) as Fault[];
    const { event, otherPayload } = this.#options;
    for (const candidate of otherPayload === undefined ? otherPayloads(event) : [otherPayload]) {
      this.#otherEvent = candidate;
      const other = await playOther(await this.#world([]));
      if (other.effects.length === 0) return all;
    }
    return all.filter((fault) => fault !== 'other-payload');
  }

  async #pairs(longer: ReadonlyMap<PlannedFault, number>, faults: readonly Fault[]): Promise<void> {
    const { pairs = 0 } = this.#options;
    const all = [...longer].flatMap(([first, places]) =>
      Array.from({ length: Math.max(0, places - first.at - 1) }, (_, index) => first.at + 1 + index).flatMap((at) =>
        faults.map((fault): PlannedFault[] => [first, { at, fault }]),
      ),
    );
    const { random } = await this.#world([]);
    for (let tried = 0; tried < pairs && all.length > 0; tried++) {
      const [plan = []] = all.splice(Math.floor(random() * all.length), 1);
      await this.#play(plan);
    }
  }

  async #play(plan: readonly PlannedFault[]): Promise<Ended> {
    const ended = await play(await this.#world(plan));
    this.#judge(ended, plan);
    return ended;
  }

  async #world(plan: readonly PlannedFault[], isFirst = false): Promise<World> {
    this.#runs++;
    const { effects, handler, event } = this.#options;
    const made = { ...(typeof effects === 'function' ? await effects() : effects) };
    const own = { store: memoryStore({ apply: () => undefined }), ...made };
    const world: World = new World(
      {
        event,
        otherEvent: this.#otherEvent,
        timeoutMillis: this.#timeoutMillis,
        startedAt: this.#startedAt,
        seed: this.#seed,
        effectOf: (call) => this.#effectOf(call),
        synchronous: this.#synchronous,
        patience: this.#patience,
        endFirstCall: () => this.#endFirstCall(),
        plan,
        isFirst,
      },
      () => handler(ports as never) as unknown as Handler,
    );
    const ports = wrapPorts(own, world.through);
    return world;
  }

  #effectOf({ name, isStore, args }: PortCall): { readonly key: string | undefined } | undefined {
    if (name === 'store.transact') {
      // Sent again with its token, a transaction is the same one, and is answered as done.
      const [, , items, token] = args;
      return Array.isArray(items) && items.length > 0 ? { key: token as string } : undefined;
    }
    const counting = this.#options.counts?.[name];
    if (isStore || counting === 'read') return undefined;
    if (typeof counting === 'function') {
      const key = counting(...(args as never[]));
      return { key: key === undefined ? undefined : String(key) };
    }
    return counting === undefined && isRead(name, args) ? undefined : { key: keyOfCall(args) };
  }

  #judge(ended: Ended, plan: readonly PlannedFault[]): void {
    const { policy = 'exactly-once', counts } = this.#options;
    const isOptional = (effect: string) => counts?.[effect] === 'optional';
    const judging = { baseline: this.#baseline, policy, isOptional };
    for (const verdict of judge(ended, plan, judging)) this.#keep(verdict, ended, plan);
  }

  #keep(verdict: Verdict, { world }: Ended, plan: readonly PlannedFault[]): void {
    const last = plan.at(-1);
    const seen = {
      place: last === undefined ? '' : labelOf(world.places, last.at),
      fault: last?.fault ?? ('none' as const),
    };
    const id = `${verdict.problem} ${verdict.effect ?? ''}`;
    const known = this.#findings.get(id);
    if (known !== undefined) {
      // What happens without a fault happens with each of them.
      const isKnown = known.fault === 'none' || known.seenAt.some((one) => isDeepStrictEqual(one, seen));
      if (!isKnown) this.#findings.set(id, { ...known, seenAt: [...known.seenAt, seen] });
      return;
    }
    const effects = world.invocations.flatMap((invocation) => invocation.effects);
    const circumstance = { place: last && world.places[last.at], fault: last?.fault, effects };
    this.#findings.set(id, {
      problem: verdict.problem,
      ...seen,
      ...(verdict.effect !== undefined && { effect: verdict.effect }),
      message: messageOf(verdict, circumstance),
      advice: adviceOf(verdict, circumstance),
      schedule: world.log,
      seed: this.#seed,
      seenAt: [seen],
    });
  }
}

const SLOW =
  'the handler waits for work that is no call of a port (a file, compression): each run waits for it in real time. ' +
  'Hand it over as a port, and the check is fast';

/** The name of a call, with its number where there were others before: `store.replace (2)`. */
function labelOf(places: readonly string[], at: number): string {
  const name = places[at] ?? '';
  const number = places.slice(0, at + 1).filter((place) => place === name).length;
  return number > 1 ? `${name} (${number})` : name;
}

function notSuccessful(answer: unknown, timeoutMillis: number): TypeError {
  const { kind, error, value } = (answer ?? { kind: 'died' }) as { kind: string; error?: unknown; value?: unknown };
  if (kind === 'died') {
    return new TypeError(
      `checkIdempotency: without any fault, the handler did not end within its timeout (${timeoutMillis} ms of simulated time). ` +
        'Does it await a promise that never settles, or something that is no port of the check?',
    );
  }
  const what =
    kind === 'threw' ? `the handler threw: ${String(error)}` : `the handler answered ${JSON.stringify(value)}`;
  return new TypeError(`checkIdempotency: the event must succeed without any fault, but ${what}.`, { cause: error });
}
