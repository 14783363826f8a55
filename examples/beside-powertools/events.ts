import type { Logger } from '@aws-lambda-powertools/logger';
import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { IdempotencyError, type IdempotencyEvent } from 'middy-idempotency';

/** The function that `onEvent` takes: a line of the log and a metric for each event. */
export function powertoolsEvents(logger: Logger, metrics: Metrics): (event: IdempotencyEvent) => void {
  return (event) => {
    const { type, operation } = event;
    const error = 'error' in event ? event.error : undefined;
    const isOfClient = error instanceof IdempotencyError && error.statusCode < 500;
    logger[error === undefined || isOfClient ? 'info' : 'error']('idempotency', { idempotency: event });

    // A single metric is written at once: no hook of Powertools has to flush it, and its dimensions are its own.
    const count = metrics.singleMetric();
    count.addDimension('operation', operation);
    count.addMetric(`Idempotency${type.charAt(0).toUpperCase()}${type.slice(1)}`, MetricUnit.Count, 1);
  };
}
