import type { Lane } from './lane.ts';
import type { Setup } from './schedule.ts';
import type { MessageView, Stage, Station } from './terms.ts';

/** Where a message stops, by what it goes to. The names are those of `proofs/kill`. */
const STOPS: { readonly [Size in Setup['steps']]: { readonly [To in Station]: readonly Stage[] } } = {
  large: { function: ['sent'], table: ['sent', 'applied'], bank: ['sent', 'applied'], client: ['sent'] },
  small: {
    function: [],
    table: ['leaving', 'sent', 'applied', 'answered'],
    bank: ['leaving', 'applied', 'answered'],
    client: ['leaving'],
  },
};

/** What a message says, and what becomes of it. */
export interface Content {
  readonly name: string;
  readonly to: Station;
  readonly text: string;
  /** Whether it was sent before, and was lost. @default false */
  readonly isAgain?: boolean;
  /** It arrives. Answers what its answer says. */
  apply(): Promise<string>;
  /** Its answer arrives: its sender goes on. */
  settle(): void;
  /** It is lost, or its answer is, and its sender notices. */
  lose(): void;
  /** Its receiver says no. @default it cannot */
  refuse?(): void;
}

/** A message on its way, which moves only when the schedule says so. */
export class Message {
  readonly lane: Lane;
  readonly content: Content;
  readonly #stops: readonly Stage[];
  #at = 0;
  #answer: string | undefined;
  /** Its sender no longer waits for it: it died, or its patience has ended. */
  isStray = false;

  constructor(lane: Lane, content: Content, size: Setup['steps']) {
    this.lane = lane;
    this.content = content;
    this.#stops = STOPS[size][content.to];
  }

  /** `undefined` when it has nowhere to go any more. */
  get stage(): Stage | undefined {
    return this.#stops[this.#at];
  }

  get isApplied(): boolean {
    return this.#answer !== undefined;
  }

  /** On to the next place. @returns whether its way has ended */
  async advance(): Promise<boolean> {
    const next = this.#stops[this.#at + 1];
    if (!this.isApplied && (next === undefined || next === 'applied')) await this.arrive();
    this.#at += 1;
    return next === undefined;
  }

  async arrive(): Promise<void> {
    this.#answer = await this.content.apply();
  }

  view(): MessageView {
    const { name, to, text } = this.content;
    return { name, to, stage: this.stage ?? 'answered', text: this.#answer ?? text, isStray: this.isStray };
  }
}
