import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { IdempotencyError } from 'middy-idempotency';
import { logLine } from './log.ts';
import { failure } from './responses.ts';

interface FailedRequest {
  readonly error: unknown;
  readonly context: { readonly awsRequestId?: string };
  response: unknown;
}

/**
 * A Middy middleware that answers every error with JSON. An `IdempotencyError` says what the client did wrong or should
 * do; of any other error the client learns nothing, and the log everything.
 *
 * Use it BEHIND `idempotency`: hooks of the error path run in reverse, and what is settled must be what the client sees.
 */
export function jsonErrors() {
  return {
    name: 'jsonErrors',
    onError(request: FailedRequest): void {
      const { error, context } = request;
      const response = toResponse(error);
      if (response.statusCode === undefined || response.statusCode >= 500) {
        logLine('error', 'the request failed', { requestId: context.awsRequestId, error });
      }
      request.response = response;
    },
  };
}

function toResponse(error: unknown): APIGatewayProxyStructuredResultV2 {
  if (!(error instanceof IdempotencyError)) {
    return failure(500, {
      error: 'INTERNAL_ERROR',
      message: 'Something went wrong here. It is safe to send the same request again.',
    });
  }
  const { code, message, statusCode, retryAfterMillis } = error;
  // Retry-After has whole seconds (RFC 9110, section 10.2.3). Rounded down, the retry would come too early.
  const headers = retryAfterMillis === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMillis / 1000)) };
  return failure(statusCode, { error: code, message }, headers);
}
