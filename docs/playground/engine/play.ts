import type { History } from '../../../proofs/lib/history.ts';
import { plainest } from './possible.ts';
import { type Action, parseAction, type Schedule, type Setup } from './schedule.ts';
import { Session } from './session.ts';
import type { State } from './terms.ts';

/** A schedule as it was played. */
export interface Run {
  readonly setup: Setup;
  readonly actions: readonly Action[];
  /** The world before the first action, and after each. */
  readonly states: readonly State[];
  readonly history: History;
}

/** Plays a schedule from its beginning. The same schedule gives the same states. @throws Error at an impossible action */
export async function play({ setup, actions }: Schedule): Promise<Run> {
  const player = await Player.begin(setup);
  for (const action of actions) await player.act(action);
  return player.run();
}

/**
 * Plays a script: words that are actions, or stand for several of them.
 *
 * | word | stands for |
 * |---|---|
 * | `run1` | request 1 goes on until its client has an answer |
 * | `to1:charge.applied` | it goes on until it is at this place of the kill table |
 * | `hold1` | it goes on until it executes, or its client has an answer |
 * | `look1` | the same, or until it waits for time to pass |
 * | `strays` | all that its sender no longer waits for arrives, if there is anything |
 * | `strays?2` | the same, if request 2 executes or has its outcome |
 * | `lease?` | the time passes until every lease has ended, if there is one |
 * | `resolve?` | an operator resolves an unknown outcome, if there is one, as it really was |
 */
export async function playScript(setup: Setup, script: string): Promise<Run> {
  const player = await Player.begin(setup);
  for (const word of script.split(/\s+/).filter(Boolean)) await player.follow(word);
  return player.run();
}

/** How far a request goes on. */
type Until = 'run' | 'hold' | 'look' | 'to';

/** No run goes on for longer. */
const MOST_STEPS = 100;

/** Plays one action after the other, and keeps what it has seen. */
export class Player {
  readonly session: Session;
  readonly #actions: Action[] = [];
  readonly #states: State[] = [];

  private constructor(session: Session) {
    this.session = session;
  }

  static async begin(setup: Setup, extraLanes = 0): Promise<Player> {
    const player = new Player(new Session(setup, extraLanes));
    player.#states.push(await player.session.look());
    return player;
  }

  get state(): State {
    return this.#states.at(-1) as State;
  }

  async act(action: Action): Promise<void> {
    this.#states.push(await this.session.act(action));
    this.#actions.push(action);
  }

  async follow(word: string): Promise<void> {
    const [, until, number, place = ''] = /^(run|hold|look|to)([1-5])(?::(.+))?$/.exec(word) ?? [];
    if (until !== undefined)
      return this.#goOn(Number(number), until as Until, place.replace('.', ': ').replace('-', ' '));
    const [, successor] = /^strays(?:\?([1-5]))?$/.exec(word) ?? [];
    if (word === 'strays' || (successor !== undefined && this.#has(Number(successor)))) return this.#deliverStrays();
    if (successor !== undefined) return;
    if (word === 'lease?') return this.#ifPossible('lease');
    if (word === 'resolve?') return this.#ifPossible(this.state.charges.length > 0 ? 'resolve-done' : 'resolve-free');
    return this.act(parseAction(word));
  }

  /** Whether a request has the record. */
  #has(number: number): boolean {
    const lane = this.state.lanes[number - 1];
    return lane?.isExecuting === true || lane?.answer?.kind === 'returned';
  }

  async #ifPossible(verb: Action['verb']): Promise<void> {
    const action = this.state.possible.find((one) => one.verb === verb);
    if (action !== undefined) await this.act(action);
  }

  /** @throws Error when the request does not come there */
  async #goOn(number: number, until: Until, place: string): Promise<void> {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      if (this.#isThere(number, until, place)) return;
      const go = this.state.possible.find((action) => action.verb === 'go' && action.lane === number);
      if (go === undefined) break;
      await this.act(go);
    }
    throw new Error(`request ${number} does not come to '${until} ${place}'`);
  }

  #isThere(number: number, until: Until, place: string): boolean {
    const { places, lanes } = this.state;
    const lane = lanes[number - 1];
    if (until === 'to') return places[number - 1] === place;
    if (lane?.client !== 'waiting') return true;
    if (until === 'run') return false;
    return lane.isExecuting || (until === 'look' && lane.messages.length === 0);
  }

  async #deliverStrays(): Promise<void> {
    for (;;) {
      const late = this.state.possible.find(({ verb }) => verb === 'late');
      if (late === undefined) return;
      await this.act(late);
    }
  }

  /** No more faults: all that is on its way arrives. */
  async endWell(): Promise<void> {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const next = this.state.possible.find(({ verb }) => verb === 'late') ?? plainest(this.state.possible);
      if (next === undefined || next.verb === 'send') return;
      await this.act(next);
    }
  }

  run(): Run {
    const { setup } = this.session;
    return { setup, actions: [...this.#actions], states: [...this.#states], history: this.session.history() };
  }
}
