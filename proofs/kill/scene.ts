import type { Copy, DynamoDBAnswer, DynamoDBRequest, Fault } from '../../test/support/proxy.ts';
import { readRequest, type SentRequest } from './requests.ts';
import type { Entry } from './story.ts';
import type { Moment } from './terms.ts';
import type { Happened } from './world.ts';

interface Victim {
  readonly name: string;
  /** Where it dies. */
  readonly target: string | undefined;
  /** Kills it. Resolves when it is dead. */
  readonly kill: (place: string) => Promise<void>;
}

/** One order: what happens to it, and where the process that it is in dies. */
export class Scene {
  readonly journal: Entry[] = [];
  /** The places that the last victim has reached, in their order. */
  reached: string[] = [];
  /** Of the record that was written last. */
  recordId: string | undefined;
  /** When another process has looked at the record, epoch milliseconds: it waits for its outcome. */
  readonly looked: Promise<number>;
  readonly #onLook: (at: number) => void;
  readonly #recordsTable: string;
  readonly #losesAnswer: boolean;
  #transactions = 0;
  readonly #happened = new Map<string, Happened>();
  #times = new Map<string, number>();
  #victim: Victim | undefined;
  /** What was on its way when its process died. */
  #late: Copy | undefined;

  constructor(recordsTable: string, losesAnswer = false) {
    this.#recordsTable = recordsTable;
    this.#losesAnswer = losesAnswer;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.looked = promise;
    this.#onLook = resolve;
  }

  begin(victim: Victim): void {
    this.#victim = victim;
    this.reached = [];
    this.#times = new Map();
  }

  end(): void {
    this.#victim = undefined;
  }

  /** @returns whether the process was killed here */
  async reach(name: string, moment: Moment): Promise<boolean> {
    const victim = this.#victim;
    if (victim === undefined) return false;
    const place = this.#placeOf(name, moment);
    this.reached.push(place);
    if (place !== victim.target) return false;
    await victim.kill(place);
    this.#victim = undefined;
    return true;
  }

  /** The n-th time has another name than the first. */
  #placeOf(name: string, moment: Moment): string {
    const key = `${name}: ${moment}`;
    const times = (this.#times.get(key) ?? 0) + 1;
    this.#times.set(key, times);
    return times === 1 ? key : `${name} ${times}: ${moment}`;
  }

  /** What becomes of a request of the victim, as long as it lives. */
  faultOf({ operation }: DynamoDBRequest): Fault {
    if (!this.#losesAnswer || operation !== 'TransactWriteItems') return 'pass';
    return this.#transactions++ === 0 ? 'lose answer' : 'expire token';
  }

  /** A request of the victim, at the proxy. */
  async deliver(copy: Copy): Promise<DynamoDBAnswer> {
    const request = this.#read(copy);
    const by = this.#victim?.name ?? '';
    if (request.recordId !== undefined) this.recordId = request.recordId;
    if (await this.reach(request.name, 'sent')) {
      this.#late = copy;
      throw new Error('its process is dead');
    }
    const answer = await copy.send();
    this.#note(by, request, answer);
    await this.reach(request.name, 'applied');
    return answer;
  }

  /** A request of any other process. What was on its way arrives as soon as somebody else has the record. */
  async deliverRetry(by: string, copy: Copy): Promise<DynamoDBAnswer> {
    const request = this.#read(copy);
    if (request.name === 'read') this.#onLook(Date.now());
    const answer = await copy.send();
    const wrote = this.#note(by, request, answer);
    if (wrote && request.recordId !== undefined) {
      this.recordId = request.recordId;
      await this.arriveLate();
    }
    return answer;
  }

  async arriveLate(): Promise<boolean> {
    if (this.#late === undefined) return false;
    this.#note('the dead', this.#read(this.#late), await this.#late.send(), true);
    return true;
  }

  async happen(by: string, effect: string, key?: string): Promise<Happened> {
    const known = key === undefined ? undefined : this.#happened.get(`${effect} ${key}`);
    const id = `${effect}-${this.journal.filter((entry) => entry.type === 'effect').length + 1}`;
    const happened = known ?? { id, at: new Date().toISOString() };
    if (key !== undefined) this.#happened.set(`${effect} ${key}`, happened);
    this.journal.push({
      type: 'effect',
      by,
      effect,
      id: happened.id,
      at: happened.at,
      ...(key !== undefined && { key }),
    });
    if (by === this.#victim?.name) await this.reach(effect, 'applied');
    return happened;
  }

  #read({ request }: Copy): SentRequest {
    return readRequest(request.headers['x-amz-target'], request.body, this.#recordsTable);
  }

  #note(by: string, request: SentRequest, { status }: DynamoDBAnswer, late = false): boolean {
    const wrote = status === 200 && request.name !== 'read';
    if (wrote) this.journal.push({ type: 'wrote', by, request, at: Date.now(), late });
    return wrote;
  }
}
