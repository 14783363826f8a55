import type { HistoryEvent, Seen, Violation } from '../support/history.ts';
import type { Move } from './moves.ts';
import { BEGINNING, type Plan } from './plan.ts';
import type { Outcome, Watch } from './schedule.ts';
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
  return [
    `entry ${entry}, lease ${leaseMillis} ms, retention ${retentionSeconds} s, onExpiredLease '${onExpiredLease}'`,
    `clocks ${offsets.map((offset, host) => `host ${host} +${offset}`).join(', ')}, table +${plan.tableOffset} ms, ` +
      `tolerance ${clockSkewMillis} ms, the SDK sends up to ${sdkTries} times`,
    ...plan.calls.map(({ id, host, key, payload, script }) => {
      const { extensions, end, settlement, after } = script;
      const extends_ = extensions.length > 0 ? `extends by ${extensions.join(' and ')} ms, then ` : '';
      const hooks = after === 'nothing' ? '' : `; then ${after}`;
      return `call ${id}: host ${host}, key ${key}, payload ${payload}: ${extends_}${end}, to ${settlement}${hooks}`;
    }),
  ];
}

function say(event: HistoryEvent): string {
  switch (event.type) {
    case 'deleted':
      return `deleted: ${record(event.before)}`;
    case 'called':
      return `call ${event.call}: called`;
    case 'started':
      return `call ${event.call}: starts, attempt ${event.attempt}, lease until ${event.leaseUntil - BEGINNING} on its clock`;
    case 'extended':
      return `call ${event.call}: has its lease until ${event.leaseUntil - BEGINNING} on its clock`;
    case 'ended':
      return `call ${event.call}: ends with '${event.outcome.text}', to ${event.settlement}`;
    case 'answered':
      return `call ${event.call}: answered: ${event.answer.kind === 'refused' ? event.answer.code : `'${event.answer.text}'`}`;
    case 'reported':
      return `call ${event.call}: reports ${event.report}`;
    case 'wrote':
      return `call ${event.call} wrote ${record(event.after)} over ${record(event.before)}${event.stray ? ' (stray)' : ''}`;
    case 'conflicted':
      return `call ${event.call} found ${record(event.found)}`;
    case 'failed':
      return `call ${event.call}: the request failed${event.retryable ? '' : ' for good'}`;
    case 'timedOut':
    case 'crashed':
      return `call ${event.call}: ${event.type}`;
  }
}

function record(seen: Seen | undefined): string {
  if (seen === undefined) return 'nothing';
  const lease = seen.leaseUntil === undefined ? '' : `, lease until ${seen.leaseUntil - BEGINNING}`;
  const text = seen.text === undefined ? '' : ` '${seen.text}'`;
  return `${seen.status}${text} of call ${seen.by} (attempt ${seen.attempt}${lease}, expires ${seen.expiresAt - BEGINNING})`;
}
