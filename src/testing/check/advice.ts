import { FAULTS, type Fault } from './faults.ts';
import type { Effect } from './invocation.ts';
import type { Verdict } from './judge.ts';

/** Where and by which fault a verdict came about. `fault` is absent for a run without any. */
export interface Circumstance {
  readonly place?: string | undefined;
  readonly fault?: Fault | undefined;
  /** All effects of the run. */
  readonly effects: readonly Effect[];
}

/** What happened, in one sentence. */
export function messageOf(
  { problem, effect, times, expected, answer }: Verdict,
  { place, fault }: Circumstance,
): string {
  const when =
    fault === undefined ? 'without any fault' : `when at \`${place}\` ${FAULTS[fault].replace('it ', 'the call ')}`;
  switch (problem) {
    case 'repeated':
      return `\`${effect}\` ${happened(times, expected)} ${when}.`;
    case 'lost':
      return `The caller got its success, but \`${effect}\` ${happened(times, expected)} ${when}.`;
    case 'stuck':
      return `No retry gets a success ${when}. The last one got ${shownAnswer(answer)}.`;
    case 'different-answers':
      return `Two callers of one request got different successes ${when}.`;
    case 'not-replayed':
      return effect === undefined
        ? `After a success, a retry got ${shownAnswer(answer)} ${when}.`
        : `After a success, a retry called \`${effect}\` once more ${when}.`;
    case 'refused-with-effect':
      return `A duplicate was refused, but it called \`${effect}\` ${when}.`;
  }
}

/** What to change. */
export function adviceOf({ problem, effect = '', answer }: Verdict, { place, fault, effects }: Circumstance): string {
  const short = effect.slice(effect.lastIndexOf('.') + 1);
  switch (problem) {
    case 'repeated':
      return repeated(effect, short, { place, fault, effects });
    case 'lost':
      if ((fault?.startsWith('error') || fault === 'outage') && place === effect) {
        return `The handler swallows the error of \`${effect}\`: let it throw. If the effect may be missing, say so: counts: { '${effect}': 'optional' }.`;
      }
      return `\`${effect}\` comes behind the stored outcome, so that a replay skips it. Call it in the handler, or write it in the same transaction as the outcome (an outbox).`;
    case 'stuck':
      if (answer?.kind === 'returned') {
        return 'A response of failure is stored as the outcome: release it. In `settle`, answer `release` for it, or throw instead.';
      }
      if (place !== undefined && !place.startsWith('store')) {
        return `The failure is stored as the outcome. Move \`${place}\` from a hook into the handler, or let \`settle\` release the failure.`;
      }
      return 'Something holds the request for good. Look at `onExpiredLease`, at the retention, and at locks of the handler itself.';
    case 'different-answers':
      return 'A replay must give what the first caller got. Return what a retry can find again, and guard the whole handler: use the guard first.';
    case 'not-replayed':
      return 'The record of the success was lost, or the retry had another key. Use a key that is the same for every retry, and change no event before it is read.';
    case 'refused-with-effect':
      return `\`${effect}\` runs in front of the guard: move it behind the guard.`;
  }
}

function repeated(effect: string, short: string, { place, fault, effects }: Circumstance): string {
  if (fault === undefined || fault.startsWith('duplicate') || fault === 'other-payload') {
    return `It is not guarded against duplicates. Use a key that is the same for every retry (no time, no random value), and call \`${effect}\` behind the guard.`;
  }
  const keys = effects.filter(({ name }) => name === effect).map(({ key }) => key);
  if (keys.some((key) => key !== undefined)) {
    return `Its idempotency key differs between attempts: give it \`deriveKey('${short}')\`, which is the same on every attempt.`;
  }
  if (place === effect) {
    return `Give it \`deriveKey('${short}')\` as its idempotency key, or write it in one transaction with the outcome (\`transact\`). No guard alone can know whether it happened.`;
  }
  return `Put it into \`step('${short}', …)\`, so that a later attempt skips it, and give it \`deriveKey('${short}')\` for a crash inside the step.`;
}

function happened(times = 0, expected = 0): string {
  if (times === 0) return 'did not happen';
  return `happened ${count(times)} instead of ${expected === 0 ? 'not at all' : count(expected)}`;
}

function count(times: number): string {
  return ['', 'once', 'twice'][times] ?? `${times} times`;
}

function shownAnswer(answer: Verdict['answer']): string {
  if (answer === undefined || answer.kind === 'died') return 'no answer';
  if (answer.kind === 'threw') {
    const { code, name, message } = (answer.error ?? {}) as { code?: unknown; name?: string; message?: string };
    return `the error ${typeof code === 'string' ? code : (name ?? '')} (${message ?? String(answer.error)})`;
  }
  const { statusCode } = (answer.value ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? `the status ${statusCode}` : 'a response of failure';
}
