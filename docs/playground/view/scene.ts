import type { Action } from '../engine/schedule.ts';
import type { LaneView, MessageView, State } from '../engine/terms.ts';
import { nounOf, seconds } from '../engine/words.ts';
import { h, icon } from './dom.ts';
import { labelOf } from './labels.ts';

export type Act = (action: Action) => void;

const CLIENT = {
  idle: 'not sent',
  waiting: 'waits',
  answered: 'has an answer',
  'without an answer': 'knows nothing',
} as const;
const PROCESS = { none: 'not started', running: 'at work', ended: 'ended', dead: 'died' } as const;

/** One row for each request: its client, its process, and what is on the way between them, the table and the bank. */
export function scene(state: State, next: Action | undefined, act: Act): HTMLElement {
  const rows = state.lanes.map((lane) => row(lane, state, next, act));
  return h('ol', { class: 'lanes', 'aria-label': 'Requests' }, ...rows);
}

function row(lane: LaneView, state: State, next: Action | undefined, act: Act): HTMLElement {
  const { client } = lane;
  const number = lane.lane;
  const possible = state.possible.filter((action) => 'lane' in action && action.lane === number);
  const isIdle = client === 'idle';
  if (isIdle && possible.length === 0)
    return h('li', { class: `lane l${number} later` }, `Request ${number} comes later`);
  const title = h('h3', {}, h('b', {}, `Request ${number}`), isIdle ? '' : ` ${lane.asks}`);
  return h(
    'li',
    { class: `lane l${number}${isIdle ? ' idle' : ''}`, 'data-lane': number, 'data-process': lane.process },
    title,
    (!isIdle || number === 1) && tracks(lane, state.time),
    lane.answer !== undefined &&
      h('p', { class: 'got' }, `The client got ${lane.answer.title}: `, h('code', {}, lane.answer.text)),
    possible.length > 0 &&
      h('div', { class: 'actions' }, ...possible.map((action) => button(action, state, next, act))),
  );
}

export function button(action: Action, state: State, next: Action | undefined, act: Act): HTMLButtonElement {
  const key =
    'lane' in action ? `${action.verb}${action.lane}${'variant' in action ? action.variant : ''}` : action.verb;
  const isNext = next !== undefined && JSON.stringify(next) === JSON.stringify(action);
  const kind = KINDS[action.verb] ?? 'time';
  const isSmall = action.verb === 'send' && action.variant !== 'same';
  return h(
    'button',
    {
      type: 'button',
      class: `${kind}${isSmall ? ' small' : ''}${isNext ? ' next' : ''}`,
      'data-key': key,
      click: () => act(action),
    },
    labelOf(action, state),
  );
}

const KINDS: Partial<Record<Action['verb'], string>> = {
  send: 'go',
  go: 'go',
  lose: 'harm',
  refuse: 'harm',
  kill: 'harm',
  timeout: 'harm',
  late: 'go',
  drop: 'harm',
};

function tracks(lane: LaneView, time: number): HTMLElement {
  const { client, answer, process, isExecuting, attempt, leaseUntil, messages } = lane;
  const left = messages.filter(({ to }) => to === 'function' || to === 'client');
  const right = messages.filter(({ to }) => to === 'table' || to === 'bank');
  const target = right.at(-1)?.to === 'bank' ? 'bank' : 'table';
  const doing = isExecuting && process === 'running' ? 'executes' : PROCESS[process];
  const lease = leaseUntil === undefined || process === 'ended' ? '' : leaseOf(leaseUntil, time);
  return h(
    'div',
    { class: 'tracks' },
    node(
      'client',
      client === 'without an answer' ? 'lost' : (answer?.kind ?? client),
      'Client',
      answer?.title ?? CLIENT[client],
    ),
    track(left, lane.lane),
    node(
      process === 'dead' ? 'dead' : 'function',
      isExecuting ? 'executing' : process,
      `Process ${lane.lane}`,
      doing,
      attempt === undefined || process === 'ended' ? '' : `attempt ${attempt}`,
      lease,
    ),
    track(right, lane.lane),
    node(target, right.length > 0 ? 'busy' : 'quiet', target === 'bank' ? 'Bank' : 'Table', ''),
  );
}

function leaseOf(leaseUntil: number, time: number): string {
  return time < leaseUntil ? `lease until ${seconds(leaseUntil)}` : 'its lease has ended';
}

function node(name: Parameters<typeof icon>[0], state: string, title: string, ...texts: string[]): HTMLElement {
  return h(
    'div',
    { class: `node ${state.replaceAll(' ', '-')}` },
    h('span', { class: 'disc' }, icon(name)),
    h('span', { class: 'who' }, title),
    ...texts.filter(Boolean).map((text) => h('span', { class: 'what' }, text)),
  );
}

function track(messages: readonly MessageView[], lane: number): HTMLElement {
  return h('div', { class: 'track' }, ...messages.map((message, index) => chip(message, lane, index)));
}

/** Goes right on its way out, and left when it is an answer. */
function chip({ name, to, stage, text, isStray }: MessageView, lane: number, index: number): HTMLElement {
  const isBack = to === 'client' || stage === 'applied' || stage === 'answered';
  const [before, after] = isBack ? ['← ', ''] : ['', ' →'];
  const noun = nounOf(name);
  const words = isBack ? text || 'answer' : to === 'table' || text === name ? noun : text;
  const title = isBack && to !== 'client' ? `answer to ${noun}` : noun;
  return h(
    'div',
    { class: `chip ${stage}${isBack ? ' back' : ''}${isStray ? ' stray' : ''}`, 'data-chip': `${lane}${name}${index}` },
    title !== '' && title !== words && h('small', {}, isStray ? `late: ${title}` : title),
    h('span', {}, `${before}${words}${after}`),
  );
}
