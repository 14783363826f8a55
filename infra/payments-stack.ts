import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, StreamViewType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { IdempotencyTable } from 'middy-idempotency/cdk';
import { OUTBOX_TTL_ATTRIBUTE } from './outbox/outbox.ts';
import { createLedger } from './stack/ledger.ts';
import { createPaymentsApi } from './stack/payments-api.ts';
import { createPaymentsFunction } from './stack/payments-function.ts';
import { createMonitoring } from './stack/payments-monitoring.ts';
import type { DeploymentSettings } from './stack/settings.ts';

export interface PaymentsStackProps extends StackProps {
  readonly settings: DeploymentSettings;
}

/**
 * The example: an HTTP API in front of the payments Lambda, its two tables, the ledger behind them, alarms and a dashboard.
 *
 * `cdk destroy` removes all of it, payments included, as it should with an example. For payments that matter there is the
 * setting `keep`.
 */
export class PaymentsStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { settings: { authorization, transport, keep }, ...props }: PaymentsStackProps,
  ) {
    super(scope, id, props);
    // Both of it, and for every table: a TableV2 is retained when nothing is said, but not protected.
    const removal = {
      removalPolicy: keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      deletionProtection: keep,
    };
    const idempotency = new IdempotencyTable(this, 'Idempotency', removal);
    const payments = new TableV2(this, 'Payments', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      timeToLiveAttribute: OUTBOX_TTL_ATTRIBUTE,
      dynamoStream: StreamViewType.NEW_IMAGE,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...removal,
    });
    const fn = createPaymentsFunction(this, { authorization, transport, payments, idempotency });
    const api = createPaymentsApi(this, fn, authorization);
    const ledger = createLedger(this, { transport, payments, idempotency, removal });
    const dashboard = createMonitoring(this, { fn, api, idempotency, ledger });

    new CfnOutput(this, 'Url', { value: api.apiEndpoint });
    new CfnOutput(this, 'FunctionName', { value: fn.functionName });
    new CfnOutput(this, 'IdempotencyTableName', { value: idempotency.tableName });
    new CfnOutput(this, 'PaymentsTableName', { value: payments.tableName });
    new CfnOutput(this, 'LedgerTableName', { value: ledger.table.tableName });
    new CfnOutput(this, 'LedgerQueueUrl', { value: ledger.queue.queueUrl });
    new CfnOutput(this, 'LedgerDeadLettersUrl', { value: ledger.deadLetters.queueUrl });
    new CfnOutput(this, 'DashboardName', { value: dashboard.dashboardName });
  }
}
