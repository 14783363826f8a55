import { decodeOutcome, isStreaming, jsonFormat, type ReplayFormat } from '../core/record/outcome.ts';
import type { HttpRequest } from './request.ts';
import { asReplay, asSent, withDroppedHeaders, withoutHeaders } from './response.ts';

/**
 * How the response to one HTTP request is stored: without the headers that belong to the first message only. A replay is
 * marked as one.
 */
export function httpFormat(request: HttpRequest, dropped: ReadonlySet<string>): ReplayFormat {
  return {
    encode(outcome) {
      if (outcome.kind === 'threw' || isStreaming(outcome.value)) return jsonFormat.encode(outcome);
      let sent: unknown;
      try {
        sent = asSent(outcome.value, request);
      } catch {
        // JSON refuses it: it cannot be replayed, and its record says why.
        return jsonFormat.encode(outcome);
      }
      const { stored, outcome: kept } = jsonFormat.encode({ kind: 'returned', value: withoutHeaders(sent, dropped) });
      if (stored.type !== 'RETURNED' || kept.kind !== 'returned') return { stored, outcome };
      return { stored, outcome: { kind: 'returned', value: withDroppedHeaders(kept.value, sent) } };
    },
    decode(stored) {
      const outcome = decodeOutcome(stored);
      return outcome.kind === 'threw' ? outcome : { kind: 'returned', value: asReplay(outcome.value, request) };
    },
  };
}
