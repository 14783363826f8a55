import { decodeOutcome, encodeOutcome, jsonFormat, type ReplayFormat, returned } from '../core/record/outcome.ts';
import type { HttpRequest } from './request.ts';
import { asReplay, asSent, withoutHeaders } from './response.ts';

/**
 * How the response to one HTTP request is stored: without the headers that belong to the first message only. A replay is
 * marked as one. The first caller gets the response of the handler, as JSON leaves it.
 */
export function httpFormat(request: HttpRequest, dropped: ReadonlySet<string>): ReplayFormat {
  return {
    encode(outcome) {
      const encoded = jsonFormat.encode(outcome);
      if (encoded.stored.type !== 'RETURNED' || encoded.outcome.kind !== 'returned') return encoded;
      const { value } = encoded.outcome;
      const kept = withoutHeaders(asSent(value, request), dropped);
      // A response is encoded a second time only where something of it is not stored.
      if (kept === value) return encoded;
      return { stored: encodeOutcome(returned(kept)), outcome: encoded.outcome };
    },
    decode(stored) {
      const outcome = decodeOutcome(stored);
      return outcome.kind === 'threw' ? outcome : returned(asReplay(outcome.value, request));
    },
  };
}
