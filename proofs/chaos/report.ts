import type { HistoryEvent } from '../lib/history.ts';
import type { Faults } from './faults.ts';
import { keyOfCall } from './terms.ts';
import type { Verdict } from './verdict.ts';

export interface Run {
  readonly verdict: Verdict;
  readonly faults: Faults;
  readonly requests: number;
  readonly database: string;
  readonly processes: { readonly started: number; readonly killed: number };
  readonly databaseKills: number;
  readonly seconds: number;
}

/** The figures of a run, one a line. */
export function figures({ verdict, faults, requests, database, processes, databaseKills, seconds }: Run): string[] {
  const { events, heldUpMillis } = verdict;
  const of = <Type extends HistoryEvent['type']>(type: Type) =>
    events.filter((event): event is Extract<HistoryEvent, { type: Type }> => event.type === type);
  const called = of('called');
  const started = new Set(of('started').map(({ call }) => call));
  const reports = count(of('reported').map(({ report }) => report));
  return [
    `keys        ${new Set(called.map(({ key }) => key)).size}`,
    `calls       ${called.length} of clients, ${requests} requests to ${database}`,
    `faults      ${list(faults.counts)}`,
    `killed      ${processes.killed} processes of clients of ${processes.started}, the database ${databaseKills} times`,
    `executions  ${started.size} of ${new Set([...started].map(keyOfCall)).size} keys`,
    `takeovers   ${of('started').filter(({ attempt }) => attempt > 1).length}`,
    `replays     ${reports.get('replayed') ?? 0}, ${answersInParts(of('answered'), of('wrote'))} of them from parts`,
    `steps       ${of('stepEnded').filter(({ result }) => result !== undefined).length} done, ${reports.get('stepSkipped') ?? 0} given to a later attempt, ${repeated(of('stepEnded'))} done again`,
    `effects     ${of('effect').length} in transactions, of ${new Set(of('effect').map(({ key }) => key)).size} keys; ${of('finished').length} handlers were told that their response is stored`,
    `waited      ${reports.get('waiting') ?? 0} requests, ${waitedFor(of('reported'))} of them got the outcome that they waited for`,
    `signals     ${of('signalled').length}`,
    `answers     ${list(count(of('answered').map((event) => answerOf(event, started))))}`,
    `cut off     ${of('crashed').length} calls by the end of their process`,
    `events      ${list(reports)}`,
    `table       ${of('wrote').length} writes, ${of('wrote').filter(({ stray }) => stray).length} of them when nobody waited any more; ${of('deleted').length} records deleted by TTL`,
    `held up     ${Math.ceil(heldUpMillis)} ms at the worst`,
    `violations  ${verdict.violations.length}`,
    `seconds     ${seconds.toFixed(1)}`,
  ];
}

/** Whether the storm had what it is for: executions, takeovers from those that were lost, replays, steps, transactions. */
export function hasHappened({ events }: Verdict, until: number, hasTransactions: boolean): boolean {
  const storm = events.filter(({ at }) => at < until);
  const has = (is: (event: HistoryEvent) => boolean) => storm.some(is);
  return (
    ['started', 'stepTold', ...(hasTransactions ? ['effect'] : [])].every((wanted) =>
      has(({ type }) => type === wanted),
    ) &&
    has((event) => event.type === 'reported' && event.report === 'takenOver') &&
    has((event) => event.type === 'reported' && event.report === 'replayed')
  );
}

type Of<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { type: Type }>;

/** Of the answers, how many are replays of an outcome that was stored in parts. */
function answersInParts(answered: readonly Of<'answered'>[], wrote: readonly Of<'wrote'>[]): number {
  const large = new Map(
    wrote.flatMap(({ after, call }) => (after?.whole === true ? [[after.text, call] as const] : [])),
  );
  return answered.filter(({ call, answer }) => {
    return answer.kind !== 'refused' && large.has(answer.text) && large.get(answer.text) !== call;
  }).length;
}

/** Of the runs of steps, how many came after another one of the same key that had a result. */
function repeated(ended: readonly Of<'stepEnded'>[]): number {
  const done = ended.filter(({ result }) => result !== undefined);
  return done.length - new Set(done.map(({ call, step }) => `${keyOfCall(call)} ${step}`)).size;
}

function waitedFor(reported: readonly Of<'reported'>[]): number {
  const waiting = new Set(reported.flatMap(({ report, call }) => (report === 'waiting' ? [call] : [])));
  return reported.filter(({ report, call }) => report === 'replayed' && waiting.has(call)).length;
}

function answerOf({ call, answer }: Extract<HistoryEvent, { type: 'answered' }>, started: ReadonlySet<string>): string {
  if (answer.kind === 'refused') return answer.code;
  const how = answer.kind === 'returned' ? 'returned' : (answer.text.match(/^failed|^declined/)?.[0] ?? 'timed out');
  return answer.text.includes(call) || started.has(call) ? how : `${how} (replayed)`;
}

function count(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `${times} ${name}`)
    .join(', ');
}

/** For a person to look into: each violation, and what happened to the calls that it names. */
export function explain({ violations, events }: Verdict, most = 10): string[] {
  return violations.slice(0, most).flatMap(({ promise, message }) => {
    const calls: string[] = message.match(/\b(?:run|brief|once)-\d+\/p\d+\.\d+/g) ?? [];
    const about = events.filter((event) => 'call' in event && calls.includes(event.call));
    return [`${promise}: ${message}`, ...about.map((event) => `    ${JSON.stringify(event)}`)];
  });
}
