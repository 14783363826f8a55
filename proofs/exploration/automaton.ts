import type { IdempotencyRecord } from '../../src/core/record/record.ts';
import type { RecordStore } from '../../src/core/record/store.ts';
import { isObject } from '../../src/json.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import type { HistoryEvent } from '../lib/history.ts';
import type { Configuration } from './configuration.ts';
import { Chain, type Entry, Interned } from './interned.ts';
import { ItemsRefused, LocalRun } from './local.ts';
import type { Call } from './state.ts';
import type { Asked, Item, Stimulus, View } from './stimulus.ts';

export type Written = number | Extract<HistoryEvent, { type: 'deleted' }>;

/** What an execution has come to by all that it has learnt so far, and when. */
export interface Local {
  readonly number: number;
  readonly who: Who;
  readonly view: Omit<View, 'requests'> & { readonly requests: ReadonlyMap<number, Entry<Asked>> };
  /** Whether nothing in it can ever go on. */
  readonly isOver: boolean;
  readonly from: { readonly local: Local; readonly stimulus: Stimulus; readonly time: number } | undefined;
  readonly next: Map<string, Local>;
  /** The real execution, as long as nobody has led it on from here. */
  run: LocalRun | undefined;
}

export interface Who {
  readonly id: string;
  readonly offset: number;
  readonly payload: string;
  readonly isTransaction: boolean;
  readonly isProbe: boolean;
}

/** What the table did. */
export interface Applied {
  readonly record: Entry<IdempotencyRecord> | undefined;
  readonly answer: Entry<{ readonly value: unknown }>;
  readonly wrote: boolean;
  /** How many writes of the caller's own took effect, and whether their condition failed. */
  readonly effects: number;
  readonly itemsRefused: boolean;
}

/** Real executions that are kept for going on with them; others are run again from their beginning. */
const MAX_RUNS = 2000;

/**
 * One execution as an automaton that is read off the real code: where it goes by a stimulus is found by running it, once,
 * and then remembered. An execution shares nothing with others but the table, so that it does the same again for the same
 * stimuli at the same times.
 */
export class Automaton {
  readonly configuration: Configuration;
  readonly #asked = new Interned<Asked>();
  readonly #records = new Interned<IdempotencyRecord>();
  readonly #answers = new Interned<{ readonly value: unknown }>();
  readonly #applied = new Map<string, Applied>();
  readonly #known = new Map<string, Local>();
  readonly #kept: Local[] = [];
  /** Where every list of events begins. */
  readonly events = new Chain<HistoryEvent>();
  readonly writes = new Chain<Written>();
  readonly starts = new Chain<number>();
  /** Local states, and how often the real code was run for them. */
  locals = 0;
  runs = 0;

  constructor(configuration: Configuration) {
    this.configuration = configuration;
  }

  #begin(who: Who): Local {
    const text = JSON.stringify(who);
    const begun = this.#known.get(text) ?? this.#create(who);
    this.#known.set(text, begun);
    return begun;
  }

  /** It has not come yet. */
  call(who: Who): Call {
    const { id, isTransaction } = who;
    const local = this.#begin(who);
    const nothing = { hasCome: false, hasEnded: false, isForgotten: false, events: this.events, open: [] };
    return { id, local, isTransaction, ...nothing };
  }

  #create(who: Who): Local {
    const run = this.#start(who);
    const view = { events: [], requests: new Map(), timers: new Map(), turns: [] };
    return { number: ++this.locals, who, view, isOver: false, from: undefined, next: new Map(), run };
  }

  /** `key` names the stimulus. */
  take(local: Local, key: string, stimulus: Stimulus, time: number): Local | Promise<Local> {
    return local.next.get(`${key} ${time}`) ?? this.#explore(local, `${key} ${time}`, stimulus, time);
  }

  async #explore(local: Local, key: string, stimulus: Stimulus, time: number): Promise<Local> {
    const run = local.run ?? (await this.#again(local));
    local.run = undefined;
    const view = await run.take(stimulus, time);
    const requests = new Map([...view.requests].map(([number, asked]) => [number, this.#asked.of(asked)] as const));
    const isOver = requests.size === 0 && view.timers.size === 0 && view.turns.length === 0;
    const next: Local = {
      number: ++this.locals,
      who: local.who,
      view: { ...view, requests },
      isOver,
      from: { local, stimulus, time },
      next: new Map(),
      run: isOver ? undefined : run,
    };
    local.next.set(key, next);
    this.#keep(next);
    return next;
  }

  #keep(local: Local): void {
    if (this.#kept.push(local) <= MAX_RUNS) return;
    for (const old of this.#kept.splice(0, MAX_RUNS / 2)) old.run = undefined;
  }

  #start(who: Who): LocalRun {
    this.runs++;
    return new LocalRun(this.configuration, who);
  }

  async #again(local: Local): Promise<LocalRun> {
    const path: NonNullable<Local['from']>[] = [];
    for (let at: Local = local; at.from !== undefined; at = at.from.local) path.push(at.from);
    const run = this.#start(local.who);
    for (const { stimulus, time } of path.reverse()) await run.take(stimulus, time);
    return run;
  }

  /** What the package's own store in memory answers, when it has this record. */
  apply(asked: Entry<Asked>, record: Entry<IdempotencyRecord> | undefined): Applied | Promise<Applied> {
    return this.#applied.get(`${asked.number} ${record?.number}`) ?? this.#ask(asked, record);
  }

  async #ask(asked: Entry<Asked>, record: Entry<IdempotencyRecord> | undefined): Promise<Applied> {
    const store = memoryStore<Item>({ apply: check });
    if (record !== undefined) await store.insert(record.value);
    const id = 'id' in asked.value ? asked.value.id : asked.value.record.id;
    const value = await answer(store, asked.value);
    const after = await store.read(id);
    const wrote = asked.value.verb !== 'read' && isDone(value);
    const applied = {
      record: after === undefined ? undefined : this.#records.of(after),
      answer: this.#answers.of({ value }),
      wrote,
      effects: wrote && asked.value.verb === 'transact' ? asked.value.items.length : 0,
      itemsRefused: isObject(value) && 'itemsError' in value,
    };
    this.#applied.set(`${asked.number} ${record?.number}`, applied);
    return applied;
  }
}

/** What they do stands in the history. */
function check(items: readonly Item[]): void {
  if (items.some(({ isRefused }) => isRefused)) throw new ItemsRefused('refused items');
}

async function answer(store: RecordStore<Item>, asked: Asked): Promise<unknown> {
  switch (asked.verb) {
    case 'insert':
      return store.insert(asked.record);
    case 'replace':
      return store.replace(asked.record, asked.expected);
    case 'transact':
      return store.transact?.(asked.record, asked.expected, asked.items, 'a token that nobody remembers');
    case 'remove':
      return store.remove(asked.id, asked.expected);
    case 'read':
      return store.read(asked.id);
  }
}

function isDone(answer: unknown): boolean {
  const { won, done } = answer as { won?: boolean; done?: boolean };
  return won === true || done === true;
}
