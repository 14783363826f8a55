import type { Setup } from '../engine/schedule.ts';
import { ACCIDENTS } from '../schedules/accidents.ts';
import { KILLED, type Killed, killAt, killId, NOT_KILLED } from '../schedules/kills.ts';
import { NOT_SHOWN, PROMISES } from '../schedules/promises.ts';
import type { Ready } from '../schedules/ready.ts';
import { h } from './dom.ts';
import { SETTINGS } from './labels.ts';

/** Which schedule is shown, and for a kill the place where the process dies. `open` takes the id, or nothing for free play. */
export function chooser(ready: Ready | undefined, open: (id: string) => void): HTMLElement {
  const killed = KILLED.find((one) => one.places.some((place) => killId(one, place) === ready?.id));
  const shown = killed === undefined ? (ready?.id ?? '') : firstOf(killed);
  const option = (id: string, title: string) => h('option', { value: id, selected: id === shown }, title);
  const group = (label: string, ...options: HTMLElement[]) => h('optgroup', { label }, ...options);
  const select = h(
    'select',
    { id: 'schedule', 'data-key': 'schedule', change: () => open(select.value) },
    option('', 'Free play'),
    group('Accidents', ...ACCIDENTS.map(({ id, title }) => option(id, title))),
    group('Promises', ...PROMISES.map(({ id, title }) => option(id, title))),
    group('Every kill', ...KILLED.map((one) => option(firstOf(one), `${one.feature} (${one.places.length} places)`))),
  );
  const choose = h('div', { class: 'choose' }, h('label', { for: 'schedule' }, 'Schedule'), select);
  return h('div', { class: 'chooser' }, choose, killed !== undefined && places(killed, ready as Ready, open));
}

function firstOf(killed: Killed): string {
  return killAt(killed, killed.places[0] as string).id;
}

/** A button for each place, in the order in which a process comes to them. */
function places(killed: Killed, { id: shown }: Ready, open: (id: string) => void): HTMLElement {
  const messages = [...new Set(killed.places.map((place) => place.split(': ')[0] as string))];
  const buttons = (message: string) =>
    killed.places
      .filter((place) => place.startsWith(`${message}: `))
      .map((place) => {
        const id = killId(killed, place);
        const moment = place.slice(message.length + 2);
        const pressed = id === shown ? 'true' : 'false';
        return h(
          'button',
          { type: 'button', 'data-key': id, 'aria-pressed': pressed, 'aria-label': place, click: () => open(id) },
          moment,
        );
      });
  return h(
    'div',
    { class: 'places', role: 'group', 'aria-label': 'Where the process dies' },
    ...messages.map((message) => h('div', { class: 'place' }, h('span', {}, message), ...buttons(message))),
  );
}

/** What no schedule shows, and why. */
export function notShown(): HTMLElement {
  const items = [
    ...Object.entries(NOT_SHOWN).map(([id, why]) => [id.toUpperCase(), why]),
    ...Object.entries(NOT_KILLED).map(([feature, why]) => [`Kills of "${feature}"`, `${why}.`]),
  ];
  return h(
    'details',
    {},
    h('summary', { 'data-key': 'not-shown' }, 'What the playground does not show'),
    h('ul', {}, ...items.map(([what = '', why = '']) => h('li', {}, h('b', {}, what), `: ${why}`))),
  );
}

/** What a reader may set up, in free play. */
export function settings(setup: Setup, fresh: (changed: Partial<Setup>) => void): HTMLElement {
  const fields = Object.entries(SETTINGS).map(([name, { label, choices }]) => {
    const select = h(
      'select',
      {
        id: `set-${name}`,
        'data-key': `set-${name}`,
        change: () => fresh({ [name]: choices[select.selectedIndex]?.[0] }),
      },
      ...choices.map(([value, text]) => h('option', { selected: value === setup[name as keyof Setup] }, text)),
    );
    return h('div', {}, h('label', { for: `set-${name}` }, label), select);
  });
  return h('div', { class: 'settings' }, ...fields);
}
