import type { IdempotencyEvent, IdempotencyEventType } from '../core/events.ts';

/** The metric that counts each event. */
export const EVENT_METRICS = {
  claimed: 'Claims',
  takenOver: 'Takeovers',
  replayed: 'Replays',
  notReplayable: 'UnreplayableRetries',
  inFlight: 'InFlightRejections',
  waiting: 'Waits',
  keyReused: 'KeyReuses',
  outcomeUnknown: 'UnknownOutcomes',
  refused: 'Refusals',
  claimFailed: 'FailedClaims',
  completed: 'Completions',
  released: 'Releases',
  held: 'HeldLeases',
  leaseLost: 'LostLeases',
  completionFailed: 'FailedCompletions',
  releaseFailed: 'FailedReleases',
  settlePolicyFailed: 'FailedSettlePolicies',
  unguarded: 'UnguardedExecutions',
  checkpointed: 'Checkpoints',
  checkpointFailed: 'FailedCheckpoints',
  stepSkipped: 'SkippedSteps',
} as const satisfies Record<IdempotencyEventType, string>;

/** The metric of the time from the beginning of a claim to its answer, milliseconds. */
export const CLAIM_LATENCY = 'ClaimLatency';
export const METRIC_NAMESPACE = 'MiddyIdempotency';
/** The one dimension of every metric: CloudWatch bills each combination of dimensions. */
export const METRIC_DIMENSION = 'functionName';

/** These answer a claim, so that their duration is its latency. */
const ANSWERS: readonly IdempotencyEventType[] = ['claimed', 'takenOver', 'replayed', 'inFlight', 'keyReused'];

/**
 * The members that make a line of your log a metric, too: no request of its own, no other line. CloudWatch reads them by
 * the embedded metric format (AWS: "Specification: Embedded metric format"). The line must be JSON as a whole, so write it to
 * the standard output: Lambda's console puts other text in front of it.
 *
 * @param functionName the value of the dimension. @default `AWS_LAMBDA_FUNCTION_NAME`, else `local`
 */
export function emfMetrics(
  { type, durationMillis }: IdempotencyEvent,
  functionName: string = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? 'local',
): object {
  const counter = EVENT_METRICS[type];
  const isAnswer = ANSWERS.includes(type);
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: [[METRIC_DIMENSION]],
          Metrics: [
            { Name: counter, Unit: 'Count' },
            ...(isAnswer ? [{ Name: CLAIM_LATENCY, Unit: 'Milliseconds' }] : []),
          ],
        },
      ],
    },
    [METRIC_DIMENSION]: functionName,
    [counter]: 1,
    ...(isAnswer && { [CLAIM_LATENCY]: durationMillis }),
  };
}
