import { Duration } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import type { IdempotencyTable } from 'middy-idempotency/cdk';
import { createExampleFunction } from './example-function.ts';
import type { Authorization, Transport } from './settings.ts';

export interface PaymentsFunctionProps {
  readonly authorization: Authorization;
  readonly transport: Transport;
  readonly payments: TableV2;
  readonly idempotency: IdempotencyTable;
}

/**
 * An HTTP API gives up after 30 s (AWS: "Quotas for configuring and running an HTTP API"). The
 * function's timeout is below that, so that the function itself answers the client. The lease of a
 * payment whose process dies lasts as long.
 */
const TIMEOUT = Duration.seconds(15);

/** The payments Lambda, with a role that may do what the example does, and nothing else. */
export function createPaymentsFunction(scope: Construct, props: PaymentsFunctionProps): NodejsFunction {
  const { authorization, transport, payments, idempotency } = props;
  const fn = createExampleFunction(scope, 'Function', {
    description: 'Payments that are safe to retry',
    entry: transport === 'lite' ? 'payments/lite-handler.ts' : 'payments/handler.ts',
    packages: ['canonicalize'],
    timeout: TIMEOUT,
    environment: {
      PAYMENTS_TABLE_NAME: payments.tableName,
      PAYMENTS_SCOPE: authorization.kind === 'anonymous' ? 'anonymous' : 'verified',
    },
  });
  payments.grant(fn, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  idempotency.guard(fn);
  return fn;
}
