import { App } from 'aws-cdk-lib';
import { PaymentsStack } from './payments-stack.ts';
import { readDeploymentSettings } from './stack/settings.ts';

/** The entry that `cdk.json` names. */
const app = new App();
new PaymentsStack(app, 'IdempotentPayments', {
  settings: readDeploymentSettings((name) => app.node.tryGetContext(name)),
  description: 'The payments example of middy-idempotency',
});
