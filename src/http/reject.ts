import { IdempotencyError } from '../errors.ts';
import type { MiddyRequest } from '../middy/request.ts';
import type { ResolvedHttpOptions } from './options.ts';
import { problemResponse } from './problem.ts';
import type { HttpRequest } from './request.ts';
import { inKind } from './response.ts';

/**
 * The problem that answers a rejected request. Middy calls no hook for it, so the hooks that the API needs are called here.
 * As in Middy, they are called in reverse order, and a value that one returns is the response.
 *
 * @throws the error when it is not one of this package's
 */
export async function problemFor(
  error: unknown,
  request: MiddyRequest,
  http: HttpRequest,
  options: ResolvedHttpOptions,
): Promise<unknown> {
  if (!(error instanceof IdempotencyError)) throw error;
  const { awsRequestId } = (request.context ?? {}) as { awsRequestId?: unknown };
  let headers: unknown;
  try {
    headers = await options.problemHeaders?.(request.event as never);
  } catch {
    // A problem without them is still the answer.
  }
  const make = () => problemResponse(error, http, options.problems, awsRequestId, headers);
  return inKind(await decorated(make, request, options), http);
}

async function decorated(make: () => object, request: MiddyRequest, { problemsThrough }: ResolvedHttpOptions) {
  const passing: MiddyRequest = { ...request, response: make() };
  delete passing.earlyResponse;
  try {
    for (const { after } of problemsThrough.toReversed()) {
      const returned = await after(passing as never);
      if (returned !== undefined) passing.response = returned;
      else if ('earlyResponse' in passing) passing.response = passing.earlyResponse;
    }
    return passing.response;
  } catch {
    // A problem that cannot be decorated is still the answer.
    return make();
  }
}
