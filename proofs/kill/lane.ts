import { type Copy, type DynamoDBAnswer, type ProxyOptions, startProxy } from '../../test/support/proxy.ts';
import type { StoreName } from '../lib/lite-store.ts';
import { Child } from './child.ts';
import type { Feature } from './features.ts';
import { Scene } from './scene.ts';
import type { Phase } from './story.ts';
import type { Answer, Call, Resolve, Setting, Tables } from './terms.ts';
import { startWorld } from './world.ts';

export interface LaneOptions {
  readonly store: StoreName;
  /** Of DynamoDB. */
  readonly endpoint: string;
  readonly tables: Tables;
  /** A folder. */
  readonly compileCache: string;
}

/** Where one scene after the other is played: who is killed in it, and who comes afterwards, with nothing in common. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #stops: (() => Promise<unknown>)[] = [];
  #scene: Scene;
  #retrying = '';
  #victims: Setting | undefined;
  #next: Child | undefined;
  #current: Child | undefined;
  #retrier: Child | undefined;

  private constructor(options: LaneOptions) {
    this.#options = options;
    this.#scene = new Scene(options.tables.records);
  }

  static async open(options: LaneOptions): Promise<Lane> {
    const lane = new Lane(options);
    try {
      await lane.#start();
    } catch (error) {
      await lane.close();
      throw error;
    }
    return lane;
  }

  async #start(): Promise<void> {
    const { endpoint, tables, store } = this.#options;
    const world = await startWorld(({ by, effect, key }) => this.#scene.happen(by, effect, key));
    this.#stops.push(world.close);
    const proxy = async (
      deliver: (copy: Copy) => Promise<DynamoDBAnswer>,
      decide: ProxyOptions['decide'] = () => 'pass',
    ): Promise<Setting> => {
      const running = await startProxy({ upstream: () => endpoint, decide, deliver });
      this.#stops.push(running.close);
      return { store, dynamoDB: running.endpoint, world: world.url, tables };
    };
    this.#victims = await proxy(
      (copy) => this.#scene.deliver(copy),
      (request) => this.#scene.faultOf(request),
    );
    const retries = await proxy((copy) => this.#scene.deliverRetry(this.#retrying, copy));
    this.#retrier = new Child(retries, this.#options.compileCache, async () => true);
    this.#prepareVictim();
  }

  /** Whoever is killed next starts while others are at work. */
  #prepareVictim(): void {
    if (this.#victims === undefined) return;
    this.#next = new Child(this.#victims, this.#options.compileCache, async ({ name, moment, answer }) => {
      const scene = this.#scene;
      if (answer !== undefined) scene.journal.push({ type: 'answered', by: 'victim', phase: 'victim', answer });
      return !(await scene.reach(name, moment));
    });
  }

  begin({ losesAnswer }: Feature): Scene {
    this.#scene = new Scene(this.#options.tables.records, losesAnswer);
    return this.#scene;
  }

  /** A call in a process that dies at `target`, if it is reached. `beforeKill` runs while it stands there. */
  async victim(call: Call, target: string | undefined, beforeKill: () => Promise<{ readonly freeAt?: number }>) {
    const scene = this.#scene;
    const child = this.#next;
    if (child === undefined) throw new Error('the lane is closed');
    this.#current = child;
    this.#prepareVictim();
    scene.begin({
      name: call.by,
      target,
      async kill(place) {
        const seen = await beforeKill();
        await child.kill();
        scene.journal.push({ type: 'killed', by: call.by, place, ...seen });
      },
    });
    try {
      return await child.ask({ ...call, stops: true });
    } finally {
      scene.end();
      await child.kill();
    }
  }

  /** A call, or whatever else, in a process that lives. */
  async retry(phase: Phase, message: Call | Resolve): Promise<Answer> {
    const { journal } = this.#scene;
    const by = message.type === 'call' ? message.by : 'operator';
    this.#retrying = by;
    journal.push({ type: 'asked', by, phase });
    const answer = await this.#retrier?.ask(message);
    if (answer === undefined) throw new Error('the lane is closed');
    if (message.type === 'call') journal.push({ type: 'answered', by, phase, answer });
    return answer;
  }

  /** Kills whatever still runs. */
  async close(): Promise<void> {
    this.#victims = undefined;
    await Promise.allSettled([this.#current, this.#next, this.#retrier].map((child) => child?.kill()));
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }
}
