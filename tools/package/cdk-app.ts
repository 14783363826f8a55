import { App, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { IdempotencyTable, type IdempotencyTableProps } from 'middy-idempotency/cdk';

const props: IdempotencyTableProps = { pointInTimeRecovery: true, tags: { team: 'payments' } };

const app = new App();
const stack = new Stack(app, 'Stack');
const fn = new LambdaFunction(stack, 'Fn', {
  runtime: Runtime.NODEJS_22_X,
  handler: 'index.handler',
  code: Code.fromInline('exports.handler = async () => undefined'),
});
const table = new IdempotencyTable(stack, 'Idempotency', props);
table.guard(fn);
table.alarmOnThrottledWrites();
const types = Object.values<{ Type: string }>(app.synth().getStackByName('Stack').template.Resources);
if (!types.some(({ Type }) => Type === 'AWS::DynamoDB::GlobalTable')) throw new Error('there is no table');
console.log(`Node ${process.version}, a CDK app in TypeScript: ok`);
