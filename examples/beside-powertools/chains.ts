import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import type { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import type { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import type { MiddlewareObj } from '@middy/core';

interface Tools {
  readonly logger: Logger;
  readonly tracer: Tracer;
  readonly metrics: Metrics;
}

/** In front of the guard: a replay and a refusal are in the log, in the trace and in the metrics, too. */
export function guardBehind({ logger, tracer, metrics }: Tools, guard: MiddlewareObj): MiddlewareObj[] {
  return [injectLambdaContext(logger, { resetKeys: true }), captureLambdaHandler(tracer), logMetrics(metrics), guard];
}

/** Behind the guard: the trace has executions only. The logger must know the request before the guard reports it. */
export function guardInFront({ logger, tracer, metrics }: Tools, guard: MiddlewareObj): MiddlewareObj[] {
  return [
    { before: ({ context }) => logger.addContext(context) },
    guard,
    injectLambdaContext(logger, { resetKeys: true }),
    captureLambdaHandler(tracer),
    logMetrics(metrics),
  ];
}
