import type { HistoryEvent, Seen, Violation } from '../lib/history.ts';
import type { Move } from './moves.ts';
import { BEGINNING, type Plan } from './plan.ts';
import type { Outcome, Watch } from './schedule.ts';
import type { Action, Script } from './script.ts';
import type { World } from './world.ts';

/** A schedule as text: its plan, every move, and what came of it. */
export class Printer {
  readonly lines: string[] = [];
  #shown = 0;

  readonly watch: Watch = (world: World, move: Move) => {
    this.#show(world.events);
    this.lines.push(`${time(world.time)}  ${move.what()}`);
  };

  end({ plan, history, violations }: Outcome): string {
    this.#show(history.events);
    return [...describe(plan), '', ...this.lines, '', ...verdict(violations)].join('\n');
  }

  #show(events: readonly HistoryEvent[]): void {
    for (; this.#shown < events.length; this.#shown++) {
      const event = events[this.#shown];
      if (event !== undefined) this.lines.push(`                -> ${say(event)}`);
    }
  }
}

function verdict(violations: readonly Violation[]): string[] {
  if (violations.length === 0) return ['every promise holds'];
  return violations.map(({ promise, at, message }) => `BROKEN ${promise} at ${time(at).trim()}: ${message}`);
}

function time(at: number): string {
  return `${(at - BEGINNING).toLocaleString('en').padStart(12)} ms`;
}

function describe(plan: Plan): string[] {
  const { entry, leaseMillis, retentionSeconds, clockSkewMillis, onExpiredLease, offsets, sdkTries } = plan;
  const { store = 'records', waitMillis = 0, renewLease = false, remembersTokens = false } = plan;
  const more = [
    `store ${store}`,
    ...(waitMillis > 0 ? [`duplicates wait ${waitMillis} ms`] : []),
    ...(plan.lookFirst === true ? ['transactions look first'] : []),
    ...(plan.worksInSql === true ? ['transactions work in SQL'] : []),
    ...(renewLease ? ['leases are renewed'] : []),
    ...(plan.withoutItems === true ? ['failed conditions come without an item'] : []),
    ...(plan.roomBytes === undefined ? [] : [`checkpoints may have ${plan.roomBytes} bytes`]),
    ...(remembersTokens ? ['the table knows transactions again'] : []),
  ];
  return [
    `entry ${entry}, lease ${leaseMillis} ms, retention ${retentionSeconds} s, onExpiredLease '${onExpiredLease}'`,
    more.join(', '),
    `clocks ${offsets.map((offset, host) => `host ${host} +${offset}`).join(', ')}, table +${plan.tableOffset} ms, ` +
      `tolerance ${clockSkewMillis} ms, the SDK sends up to ${sdkTries} times`,
    ...plan.calls.map(({ id, host, key, payload, script }) => {
      return `call ${id}: host ${host}, key ${key}, payload ${payload}: ${describeScript(script)}`;
    }),
  ];
}

function describeScript(script: Script): string {
  const { transaction, extensions, actions = [], failing = [], end, settlement, after } = script;
  if (transaction !== undefined) {
    return `transaction, plans ${transaction.plans}, items ${transaction.items}${script.large === true ? ', large' : ''}`;
  }
  const does = [
    ...(script.watches === true ? ['watches its signal'] : []),
    ...extensions.map((millis) => `extends by ${millis} ms`),
    ...actions.map((action) => describeAction(action, failing, script.bulky)),
    `${end}${script.large === true ? ' what is large' : ''}, to ${settlement}`,
    ...(after === 'nothing' ? [] : [after]),
    ...(script.onFailure === 'go on' ? ['goes on after failures'] : []),
    ...(script.returns === 'another' ? ['returns another response than it has stored'] : []),
  ];
  return does.join('; ');
}

function describeAction(action: Action, failing: readonly string[], bulky: readonly string[] = []): string {
  switch (action.does) {
    case 'extend':
      return `extends by ${action.millis} ms`;
    case 'steps':
      return action.names
        .map(
          (name) => `${bulky.includes(name) ? 'bulky ' : ''}step ${name}${failing.includes(name) ? ' (throws)' : ''}`,
        )
        .join(' and ');
    case 'transact':
      return action.refused ? 'transact, refused' : 'transact';
    case 'complete':
      return 'complete';
  }
}

function say(event: HistoryEvent): string {
  switch (event.type) {
    case 'partLost':
      return `a part of an outcome of key ${event.key} is gone`;
    case 'deleted':
      return `deleted: ${record(event.before)}`;
    case 'called':
      return `call ${event.call}: called`;
    case 'clockStepped':
      return `call ${event.call}: its clock steps to +${event.offset} ms`;
    case 'started':
      return `call ${event.call}: starts, attempt ${event.attempt}, lease until ${event.leaseUntil - BEGINNING} on its clock`;
    case 'extended':
      return `call ${event.call}: has its lease until ${event.leaseUntil - BEGINNING} on its clock`;
    case 'ended':
      return `call ${event.call}: ends with '${event.outcome.text}', to ${event.settlement}${event.kept === undefined ? '' : ` '${event.kept}'`}`;
    case 'answered':
      return `call ${event.call}: answered: ${event.answer.kind === 'refused' ? event.answer.code : `'${event.answer.text}'`}`;
    case 'reported':
      return `call ${event.call}: reports ${event.report}`;
    case 'wrote':
      return `call ${event.call} wrote ${record(event.after)} over ${record(event.before)}${event.stray ? ' (stray)' : ''}`;
    case 'looked':
    case 'conflicted':
      return `call ${event.call} found ${record(event.found)}`;
    case 'failed':
      return `call ${event.call}: the request failed${event.retryable ? '' : ' for good'}`;
    case 'full':
      return `call ${event.call}: its record has no room for it`;
    case 'stepBegan':
      return `call ${event.call}: step ${event.step} begins`;
    case 'stepEnded':
      return `call ${event.call}: step ${event.step} ${event.result === undefined ? 'throws' : `ends with '${event.result}'`}`;
    case 'stepTold':
      return `call ${event.call}: is given '${event.result}' of step ${event.step}`;
    case 'finishing':
      return `call ${event.call}: asks to ${event.by} '${event.text}'`;
    case 'finished':
      return `call ${event.call}: is told that '${event.text}' is stored`;
    case 'planFailed':
      return `call ${event.call}: its plan throws`;
    case 'itemsRefused':
      return `call ${event.call}: its items are refused`;
    case 'effect':
      return `call ${event.call}: its transaction takes effect`;
    case 'watching':
    case 'signalled':
    case 'timedOut':
    case 'crashed':
      return `call ${event.call}: ${event.type}`;
  }
}

function record(seen: Seen | undefined): string {
  if (seen === undefined) return 'nothing';
  const lease = seen.leaseUntil === undefined ? '' : `, lease until ${seen.leaseUntil - BEGINNING}`;
  const text = seen.text === undefined ? '' : ` '${seen.text}'`;
  const lost = seen.whole === false ? ' without its parts' : '';
  const steps = seen.checkpoints === undefined ? '' : ` [${Object.values(seen.checkpoints).join(', ')}]`;
  return `${seen.status}${text}${lost}${steps} of call ${seen.by} (attempt ${seen.attempt}${lease}, expires ${seen.expiresAt - BEGINNING})`;
}
