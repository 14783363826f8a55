import type { MiddyRequest } from './request.ts';
import type { MiddyRun } from './run.ts';

interface Runs {
  of(request: MiddyRequest): MiddyRun | undefined;
  begin(request: MiddyRequest, run: MiddyRun): void;
}

/**
 * The run of each request of one middleware, kept at the request itself and gone with it. A weak map of all requests would be
 * what the garbage collector has most to do with.
 */
export function requestRuns(): Runs {
  const key = Symbol('run');
  type Carrier = { [key]?: MiddyRun };
  return {
    of: (request) => (request as Carrier)[key],
    begin(request, run) {
      (request as Carrier)[key] = run;
    },
  };
}
