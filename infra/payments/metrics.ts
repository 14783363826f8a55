import type { IdempotencyEvent, IdempotencyEventType } from 'middy-idempotency';

export const METRIC_NAMESPACE = 'MiddyIdempotency';
/** The one dimension of every metric: CloudWatch bills each combination of dimensions. */
export const METRIC_DIMENSION = 'functionName';
/** Milliseconds from the beginning of a claim to its answer. */
export const CLAIM_LATENCY = 'ClaimLatency';

/** What is counted for each event. */
export const COUNTERS = {
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

/** These answer a claim, so that their duration is its latency. */
const ANSWERS: readonly IdempotencyEventType[] = ['claimed', 'takenOver', 'replayed', 'inFlight', 'keyReused'];

/**
 * The members that make a line of the log a metric, too: no request of its own, no other line. CloudWatch reads them by
 * the embedded metric format (AWS: "Specification: Embedded metric format").
 */
export function metricMembers({ type, durationMillis }: IdempotencyEvent, functionName: string, at: number): object {
  const counter = COUNTERS[type];
  const isAnswer = ANSWERS.includes(type);
  return {
    _aws: {
      Timestamp: at,
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
