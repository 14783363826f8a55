import type { Duration } from 'aws-cdk-lib';
import { type Alarm, GraphWidget, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { EVENT_METRICS, METRIC_DIMENSION, METRIC_NAMESPACE } from 'middy-idempotency/emf';
import type { Ledger } from './ledger.ts';

/**
 * A message that waits for longer than three visibility timeouts has failed twice, or no consumer
 * takes it.
 */
const OLD_SECONDS = 600;
/** The stream forgets after 24 hours, and the publisher gives up after one. */
const LATE_MILLIS = 600_000;

/** Nothing is lost yet when they go off: an operator must look. */
export function alarmsOfLedger(scope: Construct, ledger: Ledger, period: Duration): Alarm[] {
  const alarm = (id: string, watched: Metric, threshold: number, alarmDescription: string) =>
    watched.createAlarm(scope, id, {
      alarmDescription,
      threshold,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  const { queue, deadLetters, unpublished } = ledger;
  return [
    alarm(
      'OldLedgerMessages',
      queue.metricApproximateAgeOfOldestMessage({ period }),
      OLD_SECONDS,
      'Payments wait to be booked: the consumer fails, or is too slow.',
    ),
    alarm(
      'LedgerDeadLettersDepth',
      depthOf(deadLetters, period),
      1,
      'A payment could not be booked. Look at the message and its record, mend what is wrong, and redrive the queue.',
    ),
    alarm(
      'UnpublishedEventsDepth',
      depthOf(unpublished, period),
      1,
      'Events were not published for an hour. They are in the payments table for two weeks: publish them from there.',
    ),
    alarm(
      'LatePublisher',
      ledger.publisher.metric('IteratorAge', { period, statistic: Stats.MAXIMUM }),
      LATE_MILLIS,
      'The publisher does not keep up with the stream of the payments table.',
    ),
  ];
}

export function graphsOfLedger(ledger: Ledger, period: Duration): GraphWidget[] {
  const { queue, deadLetters, unpublished, consumer } = ledger;
  const counted = (event: keyof typeof EVENT_METRICS) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName: EVENT_METRICS[event],
      dimensionsMap: { [METRIC_DIMENSION]: consumer.functionName },
      statistic: Stats.SUM,
      period,
    });
  const half = { width: 12, height: 6 };
  return [
    new GraphWidget({
      title: 'The ledger: bookings and replays',
      left: [counted('completed'), counted('replayed'), counted('released'), counted('inFlight'), counted('keyReused')],
      ...half,
    }),
    new GraphWidget({
      title: "The ledger's queues, and the age of the oldest message (s)",
      left: [queue, deadLetters, unpublished].map((one) => depthOf(one, period)),
      right: [queue.metricApproximateAgeOfOldestMessage({ period })],
      ...half,
    }),
  ];
}

function depthOf(queue: Ledger['queue'], period: Duration): Metric {
  return queue.metricApproximateNumberOfMessagesVisible({ period, statistic: Stats.MAXIMUM });
}
