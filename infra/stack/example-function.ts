import { fileURLToPath } from 'node:url';
import { type Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat, SourceMapMode } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { checkBundleCommand } from './check-bundle-command.ts';

export interface ExampleFunctionProps {
  readonly description: string;
  /** Of `infra`: the module that exports the `handler`. */
  readonly entry: string;
  readonly timeout: Duration;
  readonly environment: Readonly<Record<string, string>>;
  /** Packages for development that this function may have in its bundle, besides what the package itself needs. */
  readonly packages?: readonly string[];
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A Lambda function with a log and a role of its own, which may write that log and trace, and nothing else. */
export function createExampleFunction(scope: Construct, id: string, props: ExampleFunctionProps): NodejsFunction {
  const { entry, packages = [], environment, ...settings } = props;
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // Without the managed policy for logs, which allows them in every log group of the account.
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  Validations.of(role).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
    reason: 'Tracing: xray:PutTraceSegments and xray:PutTelemetryRecords cannot be limited to a resource.',
  });

  return new NodejsFunction(scope, id, {
    ...settings,
    entry: here(`../${entry}`),
    projectRoot: here('../..'),
    depsLockFilePath: here('../../package-lock.json'),
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: 512,
    tracing: Tracing.ACTIVE,
    loggingFormat: LoggingFormat.JSON,
    logGroup,
    role,
    awsSdkConnectionReuse: false,
    environment: { NODE_OPTIONS: '--enable-source-maps', ...environment },
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
      esbuildArgs: { '--alias:node:http': './infra/stack/node-http.cjs' },
      commandHooks: {
        beforeInstall: () => [],
        beforeBundling: () => [],
        afterBundling: (inputDir, outputDir) => [checkBundleCommand(inputDir, outputDir, id, packages)],
      },
    },
  });
}
