import type { HistoryEvent } from '../lib/history.ts';
import type { Move as SimulatedMove } from '../simulation/moves.ts';
import { type CallPlan, FAULTS, type Plan } from '../simulation/plan.ts';
import { play } from '../simulation/schedule.ts';
import { PLAIN_SCRIPT, type Script } from '../simulation/script.ts';
import type { World } from '../simulation/world.ts';
import type { Configuration } from './configuration.ts';
import { CRASHES, LOSING } from './moves.ts';

/**
 * What happens when a schedule of the exploration is played in the simulation: all executions run together there, over the
 * simulation's own table and network. `undefined` where it cannot be, because the simulation fires another one of two
 * timers that are due at the same time.
 */
export async function playSimulated(
  configuration: Configuration,
  path: readonly string[],
): Promise<readonly HistoryEvent[] | undefined> {
  let world: World | undefined;
  let isPossible = true;
  const lines = path.flatMap(simulated);
  const next = (possible: readonly SimulatedMove[]): SimulatedMove | undefined => {
    const line = lines.shift();
    if (line === undefined) return undefined;
    const passing = /^(\d+) ms pass/.exec(line);
    if (passing !== null) return passes(Number(passing[1]), () => world);
    const crash = /^call (\d) crashes/.exec(line);
    if (crash !== null) return crashes(crash[1] ?? '', line.endsWith(LOSING), () => world);
    const move = possible.find(({ what }) => what() === line);
    if (move === undefined && line.startsWith('a timer')) isPossible = false;
    else if (move === undefined)
      throw new Error(`'${line}' is not possible: ${possible.map(({ what }) => what()).join('; ')}`);
    return move;
  };
  const watch = (now: World) => {
    world = now;
  };
  const { history } = await play(planOf(configuration, path), { beyondTolerance: false }, next, watch);
  return isPossible ? history.events : undefined;
}

/** One line of a path, in the simulation's words. */
function simulated(line: string): string[] {
  const [what = '', crash] = line.split(CRASHES);
  const call = Number(/call (\d)/.exec(what)?.[1] ?? 0);
  const move = what.replace(/^call \d comes in$/, `$& on host ${call - 1}`).replace(/ ends: \w+$/, ' goes on');
  // A plan reads there before it ends.
  const before = what.startsWith('the plan') ? [move] : [];
  return [...before, move, ...(crash === undefined ? [] : [`call ${call} crashes${crash}`])];
}

function passes(millis: number, world: () => World | undefined): SimulatedMove {
  const make = () => {
    const now = world();
    if (now === undefined) throw new Error('exploration: time cannot pass first of all');
    now.time += millis;
  };
  return { weight: 1, what: () => 'time passes', make };
}

function crashes(id: string, isLosing: boolean, world: () => World | undefined): SimulatedMove {
  const make = () => {
    const now = world();
    const process = now?.calls.find(({ plan }) => plan.id === id)?.process;
    if (now === undefined || process === undefined) throw new Error(`exploration: call ${id} cannot crash`);
    now.crash(process);
    const sent = now.network.copies.filter(({ request }) => request.call.plan.id === id);
    if (isLosing) for (const copy of sent) now.network.drop(copy);
  };
  return { weight: 1, what: () => 'an execution crashes', make };
}

function planOf(configuration: Configuration, path: readonly string[]): Plan {
  const {
    entry,
    leaseMillis,
    retentionSeconds,
    clockSkewMillis,
    onExpiredLease,
    offsets,
    payloads,
    sdkTries,
    lookFirst,
  } = configuration;
  const calls = offsets.map((_, index): CallPlan => {
    const id = `${index + 1}`;
    const script = scriptOf(configuration, path, id);
    return { id, host: index, key: 'A', payload: payloads[index] ?? 'p', script, probe: false };
  });
  const common = { leaseMillis, retentionSeconds, clockSkewMillis, onExpiredLease, sdkTries, lookFirst };
  return { ...common, entry, faults: new Set(FAULTS), offsets, tableOffset: 0, calls };
}

function scriptOf({ entry, transactions, step }: Configuration, path: readonly string[], id: string): Script {
  const endOf = (who: string) => {
    const line = path.find((move) => move.startsWith(`${who} of call ${id} ends: `)) ?? '';
    return / ends: (\w+)/.exec(line)?.[1] ?? 'return';
  };
  if (transactions[Number(id) - 1] === true) {
    const plans = endOf('the plan') === 'throw' ? 'never' : 'always';
    const items = endOf('the plan') === 'refuse' ? 'refused' : 'free';
    return { ...PLAIN_SCRIPT, transaction: { plans, items } };
  }
  const end = endOf('the handler');
  const isThrown = end === 'throw';
  const settlement = end === 'hold' ? 'hold' : isThrown ? 'release' : 'store';
  const after = entry === 'middy' && !isThrown ? 'a hook throws, another one answers' : 'nothing';
  const steps = {
    actions: step ? [{ does: 'steps', names: ['a'] } as const] : [],
    failing: endOf('step a') === 'throw' ? ['a'] : [],
  };
  return { extensions: [], ...steps, end: isThrown ? 'throw' : 'return', settlement, after, onTimeout: 'throw' };
}
