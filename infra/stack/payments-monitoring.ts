import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { IdempotencyTable } from 'middy-idempotency/cdk';
import { CLAIM_LATENCY, EVENT_METRICS, METRIC_DIMENSION, METRIC_NAMESPACE } from 'middy-idempotency/emf';
import type { Ledger } from './ledger.ts';
import { alarmsOfLedger, graphsOfLedger } from './ledger-monitoring.ts';

export interface Monitored {
  readonly fn: LambdaFunction;
  readonly api: HttpApi;
  readonly idempotency: IdempotencyTable;
  readonly ledger: Ledger;
}

const PERIOD = Duration.minutes(5);

/** Alarms for what an operator must look into, and a dashboard of what the guard does. */
export function createMonitoring(scope: Construct, { fn, api, idempotency, ledger }: Monitored): Dashboard {
  const counted = (event: keyof typeof EVENT_METRICS) => metric(EVENT_METRICS[event], Stats.SUM);
  const metric = (metricName: string, statistic: string) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { [METRIC_DIMENSION]: fn.functionName },
      statistic,
      period: PERIOD,
      // An alarm with a label would become one on an expression, and dearer.
      ...(statistic !== Stats.SUM && { label: statistic }),
    });
  const alarm = (id: string, watched: Metric, alarmDescription: string): Alarm =>
    watched.createAlarm(scope, id, {
      alarmDescription,
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });

  const alarms = [
    alarm(
      'FailedCompletions',
      counted('completionFailed'),
      'A payment was made and its outcome could not be stored: a retry after the lease executes again. Look it up.',
    ),
    alarm(
      'LostLeases',
      counted('leaseLost'),
      'An execution outlived its lease, and another one took over: the lease is shorter than the work.',
    ),
    alarm(
      'FailedClaims',
      counted('claimFailed'),
      'The idempotency table does not answer: payments are refused with 503.',
    ),
    alarm('FunctionErrors', fn.metricErrors({ period: PERIOD }), 'The payments function failed or timed out.'),
    alarm('ServerErrors', api.metricServerError({ period: PERIOD }), 'The API answered with a 5xx.'),
    idempotency.alarmOnThrottledWrites(),
    idempotency.alarmOnSystemErrors(),
    ...alarmsOfLedger(scope, ledger, PERIOD),
  ];

  const graph = (title: string, left: IMetric[], right: IMetric[] = []) =>
    new GraphWidget({ title, left, right, width: 12, height: 6 });
  return new Dashboard(scope, 'Dashboard', {
    widgets: [
      [new AlarmStatusWidget({ title: 'Look into these', alarms, width: 24, height: 3 })],
      [
        graph('Executions and replays', [
          counted('claimed'),
          counted('completed'),
          counted('replayed'),
          counted('released'),
        ]),
        graph('Rejected', [counted('inFlight'), counted('keyReused'), counted('refused'), counted('claimFailed')]),
      ],
      [
        graph('Takeovers and losses', [
          counted('takenOver'),
          counted('leaseLost'),
          counted('completionFailed'),
          counted('releaseFailed'),
          counted('held'),
        ]),
        graph(
          'Latency of a claim (ms)',
          ['p50', 'p99', 'Maximum'].map((statistic) => metric(CLAIM_LATENCY, statistic)),
        ),
      ],
      [
        graph(
          'The API',
          [api.metricCount({ period: PERIOD })],
          [api.metricClientError({ period: PERIOD }), api.metricServerError({ period: PERIOD })],
        ),
        graph('The function (ms)', [
          fn.metricDuration({ period: PERIOD, statistic: 'p50' }),
          fn.metricDuration({ period: PERIOD, statistic: 'p99' }),
        ]),
      ],
      graphsOfLedger(ledger, PERIOD),
    ],
  });
}
