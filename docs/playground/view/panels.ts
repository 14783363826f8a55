import type { IdempotencyRecord } from '../../../src/core/record/record.ts';
import { ROWS, type RowId } from '../engine/decisions.ts';
import { BALANCE, BEGINNING, type ChargeView, type State } from '../engine/terms.ts';
import { seconds } from '../engine/words.ts';
import { h, icon } from './dom.ts';

/** The customer's money: what all this is about. */
export function bank({ balance, charges }: State): HTMLElement {
  const paid = charges.filter(({ amount, isKnown }) => amount > 0 && !isKnown);
  const orders = paid.filter(({ effect }) => effect !== 'two').map(({ order }) => order);
  const times = Math.max(0, ...orders.map((order) => orders.filter((other) => other === order).length));
  const isTwice = times > 1;
  return h(
    'section',
    { class: `card bank${isTwice ? ' twice' : ''}`, 'aria-labelledby': 'bank' },
    h('h3', { id: 'bank' }, icon('bank'), 'The bank'),
    h('p', { class: 'balance' }, h('b', { class: 'sum' }, `€${balance}`), ` of €${BALANCE} left`),
    isTwice && h('p', { class: 'alarm' }, `${times} payments for one order`),
    charges.length > 0 && h('ul', { class: 'charges' }, ...charges.map(charge)),
  );
}

function charge({ lane, effect, amount, order, at, isKnown }: ChargeView): HTMLElement {
  const what = amount === 0 ? effect : `−€${amount} ${effect === 'charge' ? order : effect}`;
  const text = isKnown ? 'known by its key: nothing taken' : what;
  return h('li', {}, tag(lane), ` ${text} `, h('time', {}, seconds(at)));
}

function tag(lane: number | string): HTMLElement {
  return h('span', { class: `tag l${lane}` }, `request ${lane}`);
}

/** The records as they are in the table, attribute by attribute. */
export function table({ records, time }: State): HTMLElement {
  return h(
    'section',
    { class: 'card table', 'aria-labelledby': 'table' },
    h('h3', { id: 'table' }, icon('table'), 'The table'),
    records.length === 0
      ? h('p', { class: 'empty' }, 'No record.')
      : h('div', {}, ...records.map((one) => record(one, time))),
  );
}

function record(item: IdempotencyRecord, time: number): HTMLElement {
  const { status, owner, attempt, expiration, fingerprint, id } = item;
  const number = owner.slice(0, owner.indexOf('#'));
  const rows: [string, string | Node][] = [
    ['id', `${id.slice(0, 14)}…`],
    ['status', h('span', { class: `status ${status}` }, status)],
    ['owner', number === 'operator' ? 'operator' : tag(number)],
    ['attempt', String(attempt)],
  ];
  if (item.status === 'IN_PROGRESS') {
    const until = item.leaseUntil - BEGINNING;
    rows.push(['leaseUntil', `${seconds(until)}${time >= until ? ' (ended)' : ''}`]);
  }
  rows.push(['expiration', whenOf(expiration * 1000 - BEGINNING, time)]);
  if (fingerprint !== undefined) rows.push(['fingerprint', `${fingerprint.slice(0, 8)}…`]);
  if (item.status === 'COMPLETED') rows.push(['outcome', outcomeOf(item.outcome)]);
  else if (item.checkpoints !== undefined) rows.push(['checkpoints', Object.keys(item.checkpoints).join(', ')]);
  const cells = rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)));
  return h('dl', { class: 'record' }, ...cells);
}

function whenOf(millis: number, time: number): string {
  const when = millis >= 86_400_000 ? `${seconds(millis)} (a day later)` : seconds(millis);
  return time >= millis ? `${seconds(millis)} (expired)` : when;
}

function outcomeOf(outcome: Extract<IdempotencyRecord, { status: 'COMPLETED' }>['outcome']): string {
  return 'json' in outcome ? (outcome.json ?? 'undefined') : outcome.type;
}

/** The table of decisions, with the row that was taken last. */
export function decisions(taken: RowId | undefined, page: string): HTMLElement {
  const rows = ROWS.map(({ id, meets, decision }) =>
    h(
      'tr',
      { class: id === taken ? 'taken' : '', 'data-row': id },
      h('td', {}, h('a', { href: `${page}#decision-${id}` }, meets)),
      h('td', {}, decision, id === taken && h('span', { class: 'hidden' }, ' (taken last)')),
    ),
  );
  const head = h('tr', {}, h('th', { scope: 'col' }, 'it meets'), h('th', { scope: 'col' }, 'decision'));
  return h(
    'section',
    { class: 'card decisions', 'aria-labelledby': 'decisions' },
    h('h3', { id: 'decisions' }, 'How a claim decides'),
    h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)),
  );
}

/** What happened, one line for each action, with a rail for each request. */
export function timeline(states: readonly State[], at: number, jump: (to: number) => void): HTMLElement {
  const lines = states.slice(1, at + 1).map((state, index) => line(state, index + 1, at, jump));
  return h(
    'section',
    { class: 'card story', 'aria-labelledby': 'story' },
    h('h3', { id: 'story' }, 'What happened'),
    lines.length === 0 ? h('p', { class: 'empty' }, 'Nothing yet.') : h('ol', {}, ...lines),
  );
}

function line(state: State, index: number, at: number, jump: (to: number) => void): HTMLElement {
  const { notes, lanes, time } = state;
  const mover = notes.find(({ lane }) => lane !== undefined)?.lane;
  const kind = notes.some((note) => note.kind === 'death')
    ? 'death'
    : (notes.find((note) => ['loss', 'effect', 'answer', 'decision'].includes(note.kind))?.kind ?? 'work');
  const rails = lanes.map(({ lane, client, process }) => {
    const isThere = client === 'waiting' || process === 'running';
    const dot = lane === mover ? ` dot ${kind}` : '';
    return h('span', { class: `rail l${lane}${isThere ? ' on' : ''}${dot}` });
  });
  return h(
    'li',
    { class: index === at ? 'now' : '' },
    h('time', {}, seconds(time)),
    h('span', { class: 'rails', 'aria-hidden': 'true' }, ...rails),
    h(
      'button',
      { type: 'button', class: 'line', 'data-key': `line${index}`, click: () => jump(index) },
      notes.map(({ text }) => text).join(' '),
    ),
  );
}
