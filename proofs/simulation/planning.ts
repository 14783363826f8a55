import type { CallRun } from './call.ts';
import { itemsFor } from './effects.ts';
import { turnOf } from './handler.ts';

interface Planned {
  readonly items: readonly object[];
  readonly response: string;
}

/** The plan of an `idempotentTransaction`. What it has read may be old when it ends. */
export async function planOf(call: CallRun): Promise<Planned> {
  const { key, id, script } = call.plan;
  const { plans, items } = script.transaction ?? { plans: 'never', items: 'free' };
  await turnOf(call, 'the plan');
  const isDone = call.world.events.some((event) => event.type === 'effect' && event.key === key);
  await turnOf(call, 'the plan');
  if (plans === 'never' || (plans === 'once' && isDone)) {
    call.record({ type: 'planFailed', text: call.failure().message });
    throw call.failure();
  }
  const response = `${script.large === true ? 'large ' : ''}planned by ${id}`;
  call.record({ type: 'finishing', by: 'transact', text: response });
  return { items: itemsFor(key, items), response };
}
