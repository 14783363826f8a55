import { LOST_RESULT, NOT_KEPT, type Seen } from '../lib/history.ts';
import {
  type Execution,
  type Facts,
  isPastRetention,
  type KeyFacts,
  leaseEnd,
  offsetsOf,
  type StepRun,
  type Wrote,
} from './facts.ts';

/**
 * Steps. What is kept of one is kept as long as the record: nobody runs it again, and everybody is given the same result.
 * What is not kept may be repeated only where its execution has failed. Whose lease is over begins no step.
 */
export function stepsRunOnce(facts: Facts): void {
  for (const key of facts.keys.values()) {
    for (const call of key.executions) {
      for (const run of call.steps) mayBegin(facts, call, run);
      for (const { step, result, at } of call.told) isKept(facts, key, call, step, result, at);
      if (facts.terms.storeSeen) releaseKeepsAll(facts, call);
      isRepeatedForAReason(facts, key, call);
    }
    if (!facts.terms.storeSeen) continue;
    for (const { writes } of key.calls) for (const write of writes) nothingVanishes(facts, write);
  }
}

function mayBegin({ terms, report }: Facts, call: Execution, { step, beganAt }: StepRun): void {
  const { id, finished, endedAt = Number.POSITIVE_INFINITY, steps } = call;
  const late = beganAt - leaseEnd(call, beganAt);
  const isFinished = finished !== undefined && finished.at <= beganAt;
  if (late >= (terms.noiseMillis ?? 0) && !isFinished) {
    report('step', beganAt, `call ${id} begins step ${step} ${late} ms after its own lease`);
  }
  const lost = call.reports.find(({ report: what }) => what === 'leaseLost');
  if (lost !== undefined && lost.at < beganAt && !isFinished) {
    report('step', beganAt, `call ${id} begins step ${step} after it has lost its lease`);
  }
  if (beganAt > endedAt) report('step', beganAt, `call ${id} begins step ${step} after its end`);
  if (claimOf(call)?.after?.checkpoints?.[step] !== undefined) {
    report('step', beganAt, `call ${id} runs step ${step} again, which an attempt before has done`);
  }
  const isTwice = steps.some((run) => run.step === step && run.beganAt < beganAt && run.result !== undefined);
  if (isTwice) report('step', beganAt, `call ${id} runs step ${step} twice`);
}

/** The record as this call has claimed it, with what the attempts before have done. */
function claimOf({ id, writes, started }: Execution): Wrote | undefined {
  return writes.find(({ at, after }) => at <= started.at && after?.status === 'IN_PROGRESS' && after.by === id);
}

/** The result that a handler is given is one that was kept before, unless its outcome is stored, and nobody will need it. */
function isKept(
  { terms, report }: Facts,
  { executions, timeline, lostParts }: KeyFacts,
  call: Execution,
  step: string,
  result: string,
  at: number,
): void {
  const isMade = executions.some(({ steps }) => steps.some((run) => run.step === step && run.result === result));
  if (!isMade) report('step', at, `call ${call.id} is given '${result}' of step ${step}, which no run of it gave`);
  const own = call.steps.some((run) => run.result === result);
  const before = claimOf(call)?.after?.checkpoints?.[step];
  if (terms.storeSeen && !own && before !== result) {
    report('step', at, `call ${call.id} is given '${result}' of step ${step}, and its record had '${before}'`);
  }
  if (!terms.storeSeen || call.writes.some((write) => write.at <= at && write.after?.status === 'COMPLETED')) return;
  const isWritten = timeline.some((change) => change.at <= at && change.seen?.checkpoints?.[step] === result);
  // An item of a result may be lost before the record that names it is written.
  const isGone = lostParts.some((lost) => lost.at <= at);
  if (!isWritten && !isGone) report('step', at, `call ${call.id} goes on after step ${step}, of which nothing is kept`);
}

/**
 * Also what could not be written at once, and the steps that had not ended when the handler failed. A record that has no room
 * for it has none for a further run of the step: that is judged as a repetition.
 */
function releaseKeepsAll({ report }: Facts, { id, steps, writes, refusals }: Execution): void {
  for (const { at, after } of writes) {
    if (after?.status !== 'RELEASED' || after.by !== id) continue;
    for (const { step, beganAt, result } of steps) {
      const kept = after.checkpoints?.[step];
      if (refusals.some((refusal) => refusal.at >= beganAt && refusal.at <= at)) continue;
      if (beganAt > at || (result !== undefined && [result, NOT_KEPT, LOST_RESULT].includes(kept ?? ''))) continue;
      const hasThrown = steps.some((run) => run.step === step && run.endedAt !== undefined && run.endedAt <= at);
      if (result === undefined && hasThrown) continue;
      report('step', at, `call ${id} is released without its step ${step}`);
    }
  }
}

/** As long as the record is kept: of two runs, the first has thrown, or its execution has not ended as it should. */
function isRepeatedForAReason({ terms, report }: Facts, { executions }: KeyFacts, later: Execution): void {
  if (!terms.clocksAgree) return;
  for (const earlier of executions) {
    if (earlier === later || earlier.started.at > later.started.at) continue;
    for (const run of earlier.steps) {
      const again = later.steps.find(({ step, beganAt }) => step === run.step && beganAt > run.beganAt);
      if (again === undefined || (run.endedAt !== undefined && run.result === undefined)) continue;
      const isOver = leaseEnd(earlier) <= later.started.at + terms.clockSkewMillis;
      const hasFailed = earlier.failures.some(({ at }) => at >= run.beganAt);
      const isForgotten = earlier.writes.some(
        ({ after }) => after !== undefined && isPastRetention(later, after.expiresAt, terms),
      );
      if (earlier.crashedAt !== undefined || isOver || hasFailed || isForgotten) continue;
      report('step', again.beganAt, `call ${later.id} repeats step ${run.step} of call ${earlier.id} without a reason`);
    }
  }
}

/** No write forgets a step, until there is an outcome, or the retention is over on the writer's clock. */
function nothingVanishes({ terms, calls, report }: Facts, { call, at, before, after }: Wrote): void {
  if (before?.checkpoints === undefined || after?.status === 'COMPLETED') return;
  const writer = calls.get(call);
  const now = at + (terms.clocksAgree ? terms.clockSkewMillis : Math.max(...(writer ? offsetsOf(writer) : [0])));
  if (now >= before.expiresAt) return;
  for (const [step, result] of Object.entries(before.checkpoints)) {
    if (resultIn(after, step) === result) continue;
    report('step', at, `call ${call} writes over '${result}' of step ${step}: ${resultIn(after, step) ?? 'nothing'}`);
  }
}

function resultIn(seen: Seen | undefined, step: string): string | undefined {
  return seen?.checkpoints?.[step];
}
