import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { IdempotencyTable } from 'middy-idempotency/cdk';
import type { Authorization } from './settings.ts';

export interface PaymentsFunctionProps {
  readonly authorization: Authorization;
  readonly payments: TableV2;
  readonly idempotency: IdempotencyTable;
}

/**
 * Below the 30 s after which an HTTP API gives up (AWS: "Quotas for configuring and running an HTTP API"), so that the
 * client is told by the function itself. The lease of a payment whose process dies lasts as long.
 */
const TIMEOUT = Duration.seconds(15);

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The payments Lambda, with a role that may do what the example does, and nothing else. */
export function createPaymentsFunction(scope: Construct, props: PaymentsFunctionProps): NodejsFunction {
  const { authorization, payments, idempotency } = props;
  const logGroup = new LogGroup(scope, 'FunctionLogs', {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // Without the managed policy for logs, which allows them in every log group of the account.
  const role = new Role(scope, 'FunctionRole', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  Validations.of(role).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
    reason: 'Tracing: xray:PutTraceSegments and xray:PutTelemetryRecords cannot be limited to a resource.',
  });

  const fn = new NodejsFunction(scope, 'Function', {
    description: 'Payments that are safe to retry',
    entry: here('../payments/handler.ts'),
    projectRoot: here('../..'),
    depsLockFilePath: here('../../package-lock.json'),
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: 512,
    timeout: TIMEOUT,
    tracing: Tracing.ACTIVE,
    loggingFormat: LoggingFormat.JSON,
    logGroup,
    role,
    awsSdkConnectionReuse: false,
    environment: {
      NODE_OPTIONS: '--enable-source-maps',
      PAYMENTS_TABLE_NAME: payments.tableName,
      PAYMENTS_SCOPE: authorization.kind === 'anonymous' ? 'anonymous' : 'verified',
    },
    bundling: {
      format: OutputFormat.ESM,
      mainFields: ['module', 'main'],
      target: 'node24',
      minify: true,
      sourceMap: true,
      sourceMapMode: SourceMapMode.DEFAULT,
      sourcesContent: false,
      bundleAwsSDK: true,
      metafile: true,
      commandHooks: {
        beforeInstall: () => [],
        beforeBundling: () => [],
        afterBundling: (inputDir, outputDir) => [`node ${inputDir}/infra/stack/check-bundle.ts ${outputDir}`],
      },
    },
  });
  payments.grant(fn, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
  idempotency.guard(fn);
  return fn;
}
