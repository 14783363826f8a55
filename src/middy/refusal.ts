/** Responses by which a guard has refused a request: for another guard in front of it they are no outcome. */
const refusals = new WeakSet<object>();

export function markRefusal(response: unknown): void {
  if (typeof response === 'object' && response !== null) refusals.add(response);
}

export function isRefusal(response: unknown): boolean {
  return typeof response === 'object' && response !== null && refusals.has(response);
}
