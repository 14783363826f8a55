const assert = require('node:assert/strict');
const { App, Stack } = require('aws-cdk-lib');
const { Template } = require('aws-cdk-lib/assertions');
const { IdempotencyTable } = require('middy-idempotency/cdk');

module.exports = (how) => {
  const stack = new Stack(new App(), 'Stack');
  const table = new IdempotencyTable(stack, 'Idempotency');
  assert.ok(table.table.tableArn);
  Template.fromStack(stack).resourceCountIs('AWS::DynamoDB::GlobalTable', 1);
  console.log(`Node ${process.version}, IdempotencyTable, ${how}: ok`);
};
if (require.main === module) module.exports('require');
