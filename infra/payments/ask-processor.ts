import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { logLine } from './log.ts';
import { problem } from './problems.ts';
import { ProcessorKeyReusedError, ProcessorUnreachableError } from './processor.ts';

/** What the processor answered, or the response for the client when it did not answer. */
export type ProcessorAnswer<T> =
  | { readonly answered: true; readonly answer: T }
  | { readonly answered: false; readonly response: APIGatewayProxyStructuredResultV2 };

/**
 * The call must have an idempotency key that is the same on every attempt of the client's request.
 * `whenReused` is the response for the client when the processor knows that key from another
 * request.
 */
export async function askProcessor<T>(
  requestId: string,
  call: Promise<T>,
  whenReused: APIGatewayProxyStructuredResultV2,
): Promise<ProcessorAnswer<T>> {
  try {
    return { answered: true, answer: await call };
  } catch (error) {
    if (error instanceof ProcessorKeyReusedError) return { answered: false, response: whenReused };
    if (!(error instanceof ProcessorUnreachableError)) throw error;
    logLine('error', 'the payment processor did not answer', { requestId, error });
    // The money may have moved. It is safe to say "again" only because the key of the call will be the same.
    const detail = 'Send the same request again, with the same Idempotency-Key: nothing happens twice.';
    return { answered: false, response: problem('processor-unreachable', { detail }) };
  }
}
