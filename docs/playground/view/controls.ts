import type { Action } from '../engine/schedule.ts';
import type { State } from '../engine/terms.ts';
import { seconds } from '../engine/words.ts';
import { h } from './dom.ts';
import { labelOf } from './labels.ts';
import { type Act, button } from './scene.ts';

interface Controls {
  readonly at: number;
  readonly steps: number;
  readonly isReady: boolean;
  readonly isPlaying: boolean;
  readonly next: Action | undefined;
  readonly state: State;
  undo(): void;
  step(): void;
  replay(): void;
  toggle(): void;
  share(): void;
}

const START = 'Nothing has happened yet. Take the next step, or press any other button: you are the scheduler.';

/** Forward, back, from the beginning, and the link. */
export function controls(given: Controls): HTMLElement {
  const { at, steps, isReady, isPlaying, next, state } = given;
  const plan = isReady ? `Step ${at} of ${steps}` : `Step ${at}`;
  const coming = next === undefined ? 'The end' : `Next: ${labelWithLane(next, state)}`;
  return h(
    'div',
    { class: 'controls', role: 'group', 'aria-label': 'Steps' },
    h(
      'button',
      {
        type: 'button',
        class: 'go main',
        'data-key': 'next',
        'aria-disabled': off(next === undefined),
        click: given.step,
      },
      'Next step',
    ),
    h('button', { type: 'button', 'data-key': 'undo', 'aria-disabled': off(at === 0), click: given.undo }, 'Undo'),
    h(
      'button',
      { type: 'button', 'data-key': 'replay', 'aria-disabled': off(at === 0), click: given.replay },
      'Replay',
    ),
    isReady && h('button', { type: 'button', 'data-key': 'play', click: given.toggle }, isPlaying ? 'Pause' : 'Play'),
    h('button', { type: 'button', 'data-key': 'share', click: given.share }, 'Share'),
    h('p', { class: 'plan' }, h('span', {}, plan), h('span', {}, coming)),
    h('p', { class: 'just-now' }, state.notes.map(({ text }) => text).join(' ') || START),
  );
}

/** A button that does nothing now keeps the focus: the next press of a key must not reach another one. */
const off = (isOff: boolean) => (isOff ? 'true' : undefined);

function labelWithLane(action: Action, state: State): string {
  const label = labelOf(action, state);
  return 'lane' in action && !/\d/.test(label) ? `${label} (request ${action.lane})` : label;
}

/** The clock, and what happens to all. */
export function worldActions(state: State, next: Action | undefined, act: Act): HTMLElement {
  const actions = state.possible.filter((action) => !('lane' in action));
  return h(
    'div',
    { class: 'clock' },
    h('p', {}, 'Clock ', h('time', {}, seconds(state.time))),
    ...actions.map((action) => button(action, state, next, act)),
  );
}
