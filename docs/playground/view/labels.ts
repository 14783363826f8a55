import type { Action, Setup } from '../engine/schedule.ts';
import type { LaneView, MessageView, State } from '../engine/terms.ts';
import { duration, nounOf } from '../engine/words.ts';

/** What a button says. */
export function labelOf(action: Action, { lanes, time }: State): string {
  if (!('lane' in action)) return WORLD[action.verb];
  const lane = lanes[action.lane - 1] as LaneView;
  const current = lane.messages.findLast(({ isStray }) => !isStray);
  const late = lane.messages.find(({ isStray }) => isStray);
  switch (action.verb) {
    case 'send':
      return SEND[action.variant](action.lane);
    case 'go':
      return current === undefined ? `Wait ${duration((lane.wakesAt ?? time) - time)}` : goOf(current);
    case 'lose':
      return current?.stage === 'applied' ? 'Lose the answer' : `Lose the ${nounOf(current?.name ?? '')}`;
    case 'refuse':
      return 'Decline the card';
    case 'kill':
      return `Kill process ${action.lane}`;
    case 'timeout':
      return 'Let it time out';
    case 'late':
      return `Deliver the ${nounOf(late?.name ?? '')} late`;
    case 'drop':
      return `Never deliver the ${nounOf(late?.name ?? '')}`;
  }
}

function goOf(message: MessageView): string {
  if (message.stage === 'leaving') return `Send the ${nounOf(message.name)}`;
  if (message.stage === 'sent') return `Deliver the ${nounOf(message.name)}`;
  return message.stage === 'applied' ? 'Deliver the answer' : 'Go on';
}

const SEND = {
  same: (lane: number) => (lane === 1 ? 'Send request 1' : `Send request ${lane}: the same again`),
  'other-amount': () => 'with another amount',
  'no-key': () => 'without a key',
  'other-key': () => 'for another order',
} as const;

const WORLD = {
  second: 'Let a second pass',
  lease: 'Let the lease run out',
  retention: 'Let the retention end',
  ttl: 'Let the table delete what expired',
  'resolve-done': 'Operator: it was paid',
  'resolve-free': 'Operator: it was not paid',
} as const;

/** The settings of free play, as a reader chooses them. */
export const SETTINGS: {
  readonly [Name in keyof Setup]: {
    readonly label: string;
    readonly choices: readonly (readonly [Setup[Name], string])[];
  };
} = {
  work: {
    label: 'The handler',
    choices: [
      ['charge', 'charges a card'],
      ['unguarded', 'charges a card, without a guard'],
      ['middy', 'charges a card, in Middy'],
      ['steps', 'works in steps'],
      ['throw', 'works in steps, and throws once'],
      ['transact', 'pays in a transaction'],
      ['transaction', 'is an idempotentTransaction'],
      ['transaction-reads', 'is an idempotentTransaction that reads'],
      ['complete', 'completes, then sends a mail'],
      ['extend', 'extends its lease'],
      ['renew', 'has its lease renewed'],
      ['mutate', 'changes the order'],
    ],
  },
  requests: {
    label: 'Requests',
    choices: [
      [2, 'two'],
      [3, 'three'],
      [4, 'four'],
    ],
  },
  expired: {
    label: 'If a lease ran out',
    choices: [
      ['run', 'execute again'],
      ['throw', 'ask an operator'],
    ],
  },
  busy: {
    label: 'If another one executes',
    choices: [
      ['throw', 'refuse at once'],
      ['wait', 'wait for its outcome'],
    ],
  },
  bank: {
    label: 'The bank',
    choices: [
      ['forgets', 'knows no keys'],
      ['knows-keys', 'knows a derived key again'],
    ],
  },
  steps: {
    label: 'Messages stop',
    choices: [
      ['large', 'on their way'],
      ['small', 'at every place where a process can die'],
    ],
  },
};
