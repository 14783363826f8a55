import { IdempotencyError } from '../errors.ts';
import { markRefusal } from '../middy/refusal.ts';
import type { MiddyRequest } from '../middy/request.ts';
import type { ResolvedHttpOptions } from './options.ts';
import { problemResponse } from './problem.ts';
import type { HttpRequest } from './request.ts';
import { inKind } from './response.ts';

/**
 * The problem that answers the request. Middy calls no hook for it, so that those that the API needs are called here, as
 * Middy calls an `after`: in reverse, and what one returns is the response.
 *
 * @throws the error when it is none of this package's
 */
export async function problemFor(
  error: unknown,
  request: MiddyRequest,
  http: HttpRequest,
  options: ResolvedHttpOptions,
): Promise<unknown> {
  if (!(error instanceof IdempotencyError)) throw error;
  const { awsRequestId } = (request.context ?? {}) as { awsRequestId?: unknown };
  const make = () => problemResponse(error, http, options.problems, awsRequestId);
  const response = inKind(await decorated(make, request, options), http);
  markRefusal(request, response);
  return response;
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
