import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { IdempotencyTable } from 'middy-idempotency/cdk';
import { createPaymentsApi } from './stack/payments-api.ts';
import { createPaymentsFunction } from './stack/payments-function.ts';
import { createMonitoring } from './stack/payments-monitoring.ts';
import type { DeploymentSettings } from './stack/settings.ts';

export interface PaymentsStackProps extends StackProps {
  readonly settings: DeploymentSettings;
}

/**
 * The example: an HTTP API in front of the payments Lambda, its two tables, alarms and a dashboard.
 *
 * `cdk destroy` removes all of it, payments included, as it should with an example. For payments that matter, leave out
 * the two lines in which the tables give up their protection.
 */
export class PaymentsStack extends Stack {
  constructor(scope: Construct, id: string, { settings: { authorization }, ...props }: PaymentsStackProps) {
    super(scope, id, props);
    const forgettable = { removalPolicy: RemovalPolicy.DESTROY, deletionProtection: false };
    const idempotency = new IdempotencyTable(this, 'Idempotency', forgettable);
    const payments = new TableV2(this, 'Payments', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...forgettable,
    });
    const fn = createPaymentsFunction(this, { authorization, payments, idempotency });
    const api = createPaymentsApi(this, fn, authorization);
    const dashboard = createMonitoring(this, { fn, api, idempotency });

    new CfnOutput(this, 'Url', { value: api.apiEndpoint });
    new CfnOutput(this, 'FunctionName', { value: fn.functionName });
    new CfnOutput(this, 'IdempotencyTableName', { value: idempotency.tableName });
    new CfnOutput(this, 'PaymentsTableName', { value: payments.tableName });
    new CfnOutput(this, 'DashboardName', { value: dashboard.dashboardName });
  }
}
