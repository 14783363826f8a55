const assert = require('node:assert/strict');
const { idempotent, idempotency } = require('middy-idempotency');
const { sqsMessageKey } = require('middy-idempotency/events');
const { jmespath } = require('middy-idempotency/jmespath');
const { memoryStore } = require('middy-idempotency/memory');

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
  console.log(`Node ${process.version}, require, no AWS SDK: ok`);
})();
