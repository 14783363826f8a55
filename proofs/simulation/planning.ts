import type { CallRun } from './call.ts';
import { itemsFor } from './effects.ts';
import { turnOf } from './handler.ts';

interface Planned {
  readonly items: readonly object[];
  readonly response: string;
}

/** The plan of an `idempotentTransaction`. What it has read may be old when it ends. */
export async function planOf(call: CallRun): Promise<Planned> {
  const planned = await made(call);
  tell(call, planned);
  return planned;
}

/** The same, where it is done within a transaction of PostgreSQL. */
export async function workOf(call: CallRun, tx: never): Promise<string> {
  const planned = await made(call);
  try {
    for (const item of planned.items as readonly ((tx: never) => Promise<unknown>)[]) await item(tx);
  } catch (error) {
    if (!call.isRefusal(error)) call.record({ type: 'planFailed', text: (error as Error).message });
    throw error;
  }
  tell(call, planned);
  return planned.response;
}

async function made(call: CallRun): Promise<Planned> {
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
  return { items: itemsFor(call.world.plan, key, items), response };
}

function tell(call: CallRun, { response }: Planned): void {
  call.record({ type: 'finishing', by: 'transact', text: response });
}
