import type { Lane } from './lane.ts';
import { type Action, VARIANTS } from './schedule.ts';
import type { Session } from './session.ts';

/** What may happen now, in the order in which a reader is offered it. */
export function possibleIn(session: Session): Action[] {
  const next = session.lanes.find(({ client }) => client === 'idle');
  const actions: Action[] = session.lanes.flatMap(ofLane);
  if (next !== undefined) {
    for (const variant of VARIANTS) actions.push({ verb: 'send', lane: next.number, variant });
  }
  return [...actions, ...ofAll(session)];
}

function ofLane(lane: Lane): Action[] {
  const { number, current, strays, setup } = lane;
  const verbs: Action[] = [];
  const may = (verb: Exclude<Action, { variant: unknown }>['verb']) => verbs.push({ verb, lane: number } as Action);
  if (current !== undefined || (lane.isAlive && lane.timers.length > 0)) may('go');
  if (current?.stage === 'sent' || current?.stage === 'applied') may('lose');
  if (current?.content.refuse !== undefined && !current.isApplied) may('refuse');
  if (lane.isAlive) may('kill');
  const canTimeOut = setup.work === 'middy' && lane.isExecuting && lane.client === 'waiting' && lane.untilTimeout() > 0;
  if (canTimeOut && current?.content.name !== 'answer') may('timeout');
  if (strays.length > 0) verbs.push({ verb: 'late', lane: number }, { verb: 'drop', lane: number });
  return verbs;
}

function ofAll(session: Session): Action[] {
  const isAsked = session.lanes.some(({ client }) => client !== 'idle');
  const actions: Action[] = isAsked ? [{ verb: 'second' }] : [];
  if (session.leasesEnd() > session.time) actions.push({ verb: 'lease' });
  const hasEnded = session.records.some(({ status }) => status !== 'IN_PROGRESS');
  if (hasEnded && session.retentionsEnd() > session.time) actions.push({ verb: 'retention' });
  if (session.expired.length > 0) actions.push({ verb: 'ttl' });
  if (session.setup.expired === 'throw' && session.unknown !== undefined) {
    actions.push({ verb: 'resolve-done' }, { verb: 'resolve-free' });
  }
  return actions;
}

/** What happens when nothing goes wrong; `undefined` when all has been answered. */
export function plainest(possible: readonly Action[]): Action | undefined {
  return possible.find(({ verb }) => verb === 'go') ?? possible.find(({ verb }) => verb === 'send');
}
