import type { Context } from 'aws-lambda';
import { logLine } from './log.ts';
import { problem } from './problems.ts';

interface FailedRequest {
  readonly error: unknown;
  readonly context: Context;
  response: unknown;
}

/**
 * A Middy middleware that answers an unexpected error with problem details: the client learns nothing of it, and the log
 * everything.
 *
 * Use it BEHIND `httpIdempotency`: hooks of the error path run in reverse, and what is settled must be what the client
 * sees.
 */
export function problemErrors() {
  return {
    name: 'problemErrors',
    onError(request: FailedRequest): void {
      const { error, context } = request;
      logLine('error', 'the request failed', { requestId: context.awsRequestId, error });
      request.response = problem('internal-error', { detail: 'It is safe to send the same request again.' });
    },
  };
}
