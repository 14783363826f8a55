import type { Execution } from '../core/execution/execution.ts';
import { isStreaming, type Outcome } from '../core/record/outcome.ts';
import type { MiddyRequest } from '../middy/request.ts';
import type { HttpRequest } from './request.ts';
import { asReplay, withoutHeaders } from './response.ts';

/** An execution whose stored response has no headers that belong to the first message alone. */
export function presented(execution: Execution, http: HttpRequest, dropped: ReadonlySet<string>): Execution {
  execution.storeAs((outcome) => storable(outcome, http, dropped));
  return {
    ...execution,
    async settle(settlement, outcome, final) {
      const settled = await execution.settle(settlement, outcome, final);
      if (settled.kind !== 'superseded') return settled;
      return { ...settled, outcome: replayed(settled.outcome, http) };
    },
  };
}

/** Ends Middy's chain with the stored outcome. */
export function replayOf(outcome: Outcome, request: MiddyRequest, http: HttpRequest): void {
  const replay = replayed(outcome, http);
  if (replay.kind === 'threw') throw replay.error;
  request.earlyResponse = replay.value;
}

function replayed(outcome: Outcome, http: HttpRequest): Outcome {
  return outcome.kind === 'threw' ? outcome : { kind: 'returned', value: asReplay(outcome.value, http) };
}

function storable(outcome: Outcome, { shape }: HttpRequest, dropped: ReadonlySet<string>): Outcome {
  // What passes once has no headers to take out: it is not replayable, and is told so where it is encoded.
  if (outcome.kind === 'threw' || isStreaming(outcome.value)) return outcome;
  try {
    return { kind: 'returned', value: withoutHeaders(outcome.value, shape, dropped) };
  } catch {
    // What JSON refuses is not replayable, and is told so where it is encoded.
    return outcome;
  }
}
