import type { MiddyRequest } from './request.ts';

/** Responses and errors by which a guard has refused a request, and that request: a handler may hand on one of another. */
const refusals = new WeakMap<object, object>();

/** For another guard in front of it they are no outcome. */
export function markRefusal(request: MiddyRequest, refusal: unknown): void {
  if (typeof refusal === 'object' && refusal !== null) refusals.set(refusal, request);
}

export function isRefusal(request: MiddyRequest, outcome: unknown): boolean {
  return typeof outcome === 'object' && outcome !== null && refusals.get(outcome) === request;
}
