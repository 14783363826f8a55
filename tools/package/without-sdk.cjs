const assert = require('node:assert/strict');
const { createServer } = require('node:http');
const { idempotent, idempotency } = require('middy-idempotency');
const { sqsMessageKey } = require('middy-idempotency/events');
const { jmespath } = require('middy-idempotency/jmespath');
const { memoryStore } = require('middy-idempotency/memory');
const { dynamoDBStore } = require('middy-idempotency/dynamodb/lite');

(async () => {
  let executions = 0;
  const charge = idempotent(async (order) => ({ charge: ++executions, order }), {
    store: memoryStore(),
    operation: 'charge',
    key: jmespath('id || legacyId'),
  });
  assert.deepEqual(await charge({ id: 1 }), await charge({ id: 1 }));
  assert.equal(executions, 1);
  const message = { eventSource: 'aws:sqs', eventSourceARN: 'queue', messageId: '1' };
  assert.deepEqual(sqsMessageKey(message), ['queue', '1']);
  assert.throws(() => idempotency({ store: memoryStore(), key: 'id || legacyId' }), /middy-idempotency\/jmespath/);
  assert.throws(() => jmespath('nope('), TypeError);
  assert.throws(() => require('middy-idempotency/dynamodb'), { code: /MODULE_NOT_FOUND/ });
  assert.throws(() => require('middy-idempotency/dist/core/decide.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });

  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.headers['x-amz-target']);
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const lite = dynamoDBStore({
    tableName: 'records',
    region: 'local',
    endpoint: `http://127.0.0.1:${server.address().port}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const once = idempotent(async (id) => id, { store: lite, operation: 'charge', key: (id) => id });
  assert.equal(await once('order'), 'order');
  assert.deepEqual(asked, ['DynamoDB_20120810.PutItem', 'DynamoDB_20120810.PutItem']);
  server.close();
  server.closeAllConnections();
  console.log(`Node ${process.version}, require, no AWS SDK: ok`);
})();
