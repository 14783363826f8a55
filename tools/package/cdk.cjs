const assert = require('node:assert/strict');
const { App, Stack } = require('aws-cdk-lib');
const { IdempotencyTable } = require('middy-idempotency/cdk');

module.exports = (how) => {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  const table = new IdempotencyTable(stack, 'Idempotency');
  assert.ok(table.table.tableArn);
  const { Resources } = app.synth().getStackByName('Stack').template;
  assert.deepEqual(
    Object.values(Resources).map(({ Type }) => Type),
    ['AWS::DynamoDB::GlobalTable'],
  );
  console.log(`Node ${process.version}, IdempotencyTable, ${how}: ok`);
};
if (require.main === module) module.exports('require');
