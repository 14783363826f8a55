import { play, type Run } from '../engine/play.ts';
import { plainest } from '../engine/possible.ts';
import { type Action, formatAction, formatSchedule, parseSchedule, type Setup } from '../engine/schedule.ts';
import type { State } from '../engine/terms.ts';
import { readyById } from '../schedules/index.ts';
import { endOf, playReady, type Ready, sentenceOf } from '../schedules/ready.ts';
import { chooser, notShown, settings } from './chooser.ts';
import { controls, worldActions } from './controls.ts';
import { h } from './dom.ts';
import { flyFrom, placesOf, showLane } from './motion.ts';
import { bank, decisions, table, timeline } from './panels.ts';
import { scene } from './scene.ts';
import css from './style.css';

const PAUSE_MILLIS = 1100;
/** Where a reader who follows no link begins. */
const FIRST = 'lost-answer';

/**
 * `<idempotency-playground>`: requests of one key run through the real guard and the real memory store, and the reader is the
 * scheduler. The hash of the page is the schedule: `#<id>` of a ready one, or all of its actions. `&at=<n>` stops after n.
 *
 * It emits `shown` whenever it shows a state, with `detail.at`: the number of actions that have happened.
 *
 * Attribute `protocol`: the page that has the table of decisions. Default `../explain/protocol/`.
 */
export class IdempotencyPlayground extends HTMLElement {
  readonly #root = this.attachShadow({ mode: 'open' });
  readonly #live = h('p', { class: 'hidden', 'aria-live': 'polite', role: 'status' });
  readonly #body = h('div', { class: 'body' });
  readonly #notShown = notShown();
  /** What is shown, as long as the reader follows it. */
  #ready: Ready | undefined;
  /** What the reader has left by an action that was not planned. */
  #origin: Ready | undefined;
  #run: Run | undefined;
  #at = 0;
  #problem = '';
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #onHash = () => void this.#follow();

  connectedCallback(): void {
    this.#root.replaceChildren(h('style', {}, css), this.#body, this.#live);
    this.#root.addEventListener('keydown', this.#onKey as EventListener);
    addEventListener('hashchange', this.#onHash);
    void this.#follow();
  }

  disconnectedCallback(): void {
    removeEventListener('hashchange', this.#onHash);
    this.#pause();
  }

  /** Opens what the hash of the page says. */
  async #follow(): Promise<void> {
    const text = decodeURIComponent(location.hash.slice(1));
    const [id = '', ...rest] = text.split('&');
    const at = Number(/(?:^|&)at=(\d{1,3})$/.exec(text)?.[1] ?? Number.NaN);
    this.#problem = '';
    const ready = readyById(id);
    if (ready !== undefined && rest.every((part) => part.startsWith('at='))) return this.#open(ready, at || 0);
    if (!text.includes('play=')) {
      // Any other anchor of the page changes nothing here.
      if (this.#run === undefined) await this.#open(readyById(FIRST) as Ready, 0);
      return;
    }
    this.#origin = undefined;
    try {
      await this.#play(parseSchedule(text), at);
    } catch (error) {
      this.#problem = `This link is no schedule: ${(error as Error).message}.`;
      await this.#open(readyById(FIRST) as Ready, 0);
    }
  }

  async #open(ready: Ready, at: number): Promise<void> {
    this.#pause();
    this.#ready = ready;
    this.#origin = ready;
    this.#run = await playReady(ready);
    this.#show(at);
  }

  async #play(
    schedule: { readonly setup: Setup; readonly actions: readonly Action[] },
    at = Number.NaN,
  ): Promise<void> {
    const run = await play(schedule);
    this.#ready = undefined;
    this.#run = run;
    this.#show(Number.isNaN(at) ? run.actions.length : at);
  }

  /** An action of the reader: what stood behind this point is no longer planned. */
  async #act(action: Action): Promise<void> {
    const { setup, actions } = this.#run as Run;
    this.#pause();
    const planned = actions[this.#at];
    if (planned !== undefined && formatAction(planned) === formatAction(action)) this.#show(this.#at + 1);
    else await this.#play({ setup, actions: [...actions.slice(0, this.#at), action] });
    if ('lane' in action) showLane(this.#body, action.lane);
  }

  /** What happens next: as planned, or else what happens when nothing goes wrong. */
  get #next(): Action | undefined {
    const { actions } = this.#run as Run;
    return actions[this.#at] ?? (this.#ready === undefined ? plainest(this.#state.possible) : undefined);
  }

  get #state(): State {
    return (this.#run as Run).states[this.#at] as State;
  }

  #show(at: number): void {
    const { states } = this.#run as Run;
    this.#at = Math.max(0, Math.min(at, states.length - 1));
    history.replaceState(history.state, '', `#${this.#link()}`);
    const notes = this.#state.notes.map(({ text }) => text).join(' ');
    this.#live.textContent =
      this.#at === 0 ? this.#title() : `Step ${this.#at}. ${notes} ${this.#isAtEnd() ? this.#end() : ''}`;
    this.#render();
  }

  #link(): string {
    if (this.#ready !== undefined) return this.#at === 0 ? this.#ready.id : `${this.#ready.id}&at=${this.#at}`;
    const { setup, actions } = this.#run as Run;
    const at = this.#at === actions.length ? '' : `&at=${this.#at}`;
    return `${formatSchedule({ setup, actions })}${at}`;
  }

  #title(): string {
    return this.#ready === undefined ? 'Free play' : `${this.#ready.title}. ${this.#ready.lookFor}`;
  }

  #isAtEnd(): boolean {
    return this.#ready !== undefined && this.#at === (this.#run as Run).actions.length;
  }

  #end(): string {
    return sentenceOf(endOf(this.#state));
  }

  #render(): void {
    const key = (this.#root.activeElement as HTMLElement | null)?.dataset['key'];
    const places = placesOf(this.#body);
    this.#body.replaceChildren(...this.#parts());
    flyFrom(this.#body, places);
    const story = this.#body.querySelector('.story ol');
    story?.scrollTo({ top: story.scrollHeight, behavior: 'instant' });
    this.#restoreFocus(key);
    this.dispatchEvent(new CustomEvent('shown', { detail: { at: this.#at } }));
  }

  #restoreFocus(key: string | undefined): void {
    if (key === undefined) return;
    const wanted = this.#body.querySelector<HTMLElement>(`[data-key="${key}"]`);
    (wanted ?? this.#body.querySelector<HTMLElement>('[data-key="next"]'))?.focus({ preventScroll: true });
  }

  #parts(): Node[] {
    const { setup, states, actions } = this.#run as Run;
    const state = this.#state;
    const next = this.#next;
    const act = (action: Action) => void this.#act(action);
    const rows = states.slice(0, this.#at + 1).flatMap(({ notes }) => notes.flatMap(({ row }) => row ?? []));
    const fresh = (changed: Partial<Setup>) => void this.#play({ setup: { ...setup, ...changed }, actions: [] });
    return [
      chooser(this.#ready, (id) => {
        location.hash = id === '' ? 'play=' : id;
      }),
      this.#intro(setup, fresh),
      controls({
        at: this.#at,
        steps: actions.length,
        isReady: this.#ready !== undefined,
        isPlaying: this.#timer !== undefined,
        next,
        state,
        undo: () => this.#pauseAnd(() => this.#show(this.#at - 1)),
        step: () => this.#pauseAnd(() => this.#step()),
        replay: () => this.#pauseAnd(() => this.#show(0)),
        toggle: () => this.#toggle(),
        share: () => void this.#share(),
      }),
      h(
        'div',
        { class: 'stage' },
        h(
          'div',
          { class: 'left' },
          worldActions(state, next, act),
          scene(state, next, act),
          this.#verdict(),
          timeline(states, this.#at, (to) => this.#pauseAnd(() => this.#show(to))),
        ),
        h('div', { class: 'right' }, bank(state), table(state), decisions(rows.at(-1), this.#protocol)),
      ),
      this.#notShown,
    ];
  }

  #intro(setup: Setup, fresh: (changed: Partial<Setup>) => void): HTMLElement {
    const ready = this.#ready;
    const problem = this.#problem !== '' && h('p', { class: 'problem', role: 'alert' }, this.#problem);
    if (ready !== undefined) {
      return h('div', { class: 'intro' }, problem, h('h2', {}, ready.title), h('p', {}, ready.lookFor));
    }
    return h(
      'div',
      { class: 'intro' },
      problem,
      h('h2', {}, 'Free play'),
      h('p', {}, 'You are the scheduler: decide what arrives, what is lost, and which process dies.'),
      this.#origin &&
        h('p', { class: 'back' }, h('a', { href: `#${this.#origin.id}` }, `Back to "${this.#origin.title}"`)),
      settings(setup, fresh),
    );
  }

  #verdict(): HTMLElement {
    if (!this.#isAtEnd()) return h('p', { class: 'verdict', hidden: true });
    const isMore = endOf(this.#state).charges > 1;
    const attributes = { class: `verdict${isMore ? ' more' : ''}`, 'data-end': '' };
    return h('p', attributes, h('b', {}, 'How it ends: '), this.#end());
  }

  get #protocol(): string {
    return this.getAttribute('protocol') ?? '../explain/protocol/';
  }

  // The reader's controls.

  #step(): void {
    const next = this.#next;
    if (next !== undefined) void this.#act(next);
  }

  #toggle(): void {
    if (this.#timer !== undefined) {
      this.#pause();
      this.#render();
      return;
    }
    if (this.#next === undefined) this.#show(0);
    this.#timer = setInterval(() => this.#tick(), PAUSE_MILLIS);
    this.#tick();
  }

  #tick(): void {
    const { actions } = this.#run as Run;
    const isPlanned = this.#at < actions.length;
    if (isPlanned) this.#show(this.#at + 1);
    const made = actions[this.#at - 1];
    if (made !== undefined && 'lane' in made) showLane(this.#body, made.lane);
    if (this.#at < actions.length) return;
    this.#pause();
    this.#render();
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #pauseAnd(go: () => void): void {
    this.#pause();
    go();
  }

  async #share(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.#live.textContent = 'The link to this step is copied.';
    } catch {
      this.#live.textContent = 'The link to this step is the address of the page.';
    }
    const button = this.#body.querySelector('[data-key="share"]');
    if (button !== null) button.textContent = this.#live.textContent;
  }

  /** Arrow keys step forward and back, wherever they have no other use. */
  readonly #onKey = (event: KeyboardEvent): void => {
    const { key, target } = event;
    if (!['ArrowRight', 'ArrowLeft'].includes(key) || event.altKey || event.ctrlKey || event.metaKey) return;
    if ((target as HTMLElement).matches('select, input')) return;
    event.preventDefault();
    this.#pause();
    if (key === 'ArrowRight') this.#step();
    else this.#show(this.#at - 1);
  };
}
