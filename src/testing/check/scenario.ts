import { type Answer, isSuccessful } from '../answer.ts';
import { redelivered } from '../retry.ts';
import type { Invocation } from './invocation.ts';
import type { World } from './world.ts';

/** What a run has come to. */
export interface Ended {
  readonly world: World;
  /** The first success that a caller got; `undefined` when the request is stuck. */
  readonly success: unknown;
  readonly isAnswered: boolean;
  /** The last answer of a retry, where there was no success. */
  readonly last: Answer | undefined;
}

/** Milliseconds between the retries of a client. The lease of an execution that died ends among them. */
const RETRY_MILLIS = [1000, 10_000, 30_000, 60_000, 900_000];
const SECOND = 1000;

/**
 * The first call, the faults of the plan, and what callers do about them: they retry until there is an answer. Then everything
 * that stood still goes on, and two more retries come: one in a new process, one in the process that answered.
 */
export async function play(world: World): Promise<Ended> {
  await world.drive(await world.begin('first'));
  await world.elapse(SECOND);
  await retryUntilAnswered(world);
  if (world.zombies.length > 0) {
    for (const goOn of world.zombies.splice(0)) goOn();
    await world.elapse(SECOND);
    await retryUntilAnswered(world);
  }
  await allEnded(world);
  const answered = world.invocations.find(({ answer, role }) => role !== 'other' && isSuccessful(answer));
  if (answered !== undefined) {
    for (const isFresh of [true, false]) {
      await world.elapse(SECOND);
      await world.drive(await world.begin('check', undefined, isFresh));
    }
  }
  const last = world.invocations.findLast(({ role }) => role === 'retry' || role === 'first')?.answer;
  // Of two payloads under one key, one wins. The other one is refused for good.
  const isAnswered = world.invocations.some(({ answer }) => isSuccessful(answer));
  return { world, isAnswered, success: valueIn(answered), last };
}

/** One call after another, nothing else: what a request with another payload comes to. */
export async function playOther(world: World): Promise<Invocation> {
  await world.drive(await world.begin('first'));
  const other = await world.begin('other', world.settings.otherEvent);
  await world.drive(other);
  return other;
}

async function retryUntilAnswered(world: World): Promise<void> {
  let { event } = world.settings;
  for (const millis of RETRY_MILLIS) {
    if (world.invocations.some(({ answer, role }) => role !== 'other' && isSuccessful(answer))) return;
    await world.elapse(millis);
    const retry = await world.begin('retry', event);
    await world.drive(retry);
    if (retry.answer !== undefined) event = redelivered(event, retry.answer);
  }
}

/** Duplicates that still wait for another execution get their answer. */
async function allEnded(world: World): Promise<void> {
  for (const invocation of world.invocations) await world.drive(invocation);
}

function valueIn(invocation: Invocation | undefined): unknown {
  return invocation?.answer?.kind === 'returned' ? invocation.answer.value : undefined;
}
