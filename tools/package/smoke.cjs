const assert = require('node:assert/strict');
const { idempotency, IdempotencyError } = require('middy-idempotency');
const { dynamoDBStore } = require('middy-idempotency/dynamodb');
const { idempotentRoute } = require('middy-idempotency/fetch');
const { memoryStore } = require('middy-idempotency/memory');
const { powertoolsRecords } = require('middy-idempotency/powertools');

module.exports = async (how) => {
  const { default: middy } = await import('@middy/core');
  const { version } = require('node:module').createRequire(__filename)(
    `${__dirname}/node_modules/@middy/core/package.json`,
  );
  let executions = 0;
  const handler = middy()
    .use(idempotency({ store: memoryStore(), operation: 'pay', key: 'id' }))
    .handler(async () => void executions++);
  assert.equal(await handler({ id: 'a' }, {}), undefined);
  assert.equal(await handler({ id: 'a' }, {}), undefined);
  assert.equal(executions, 1);
  await assert.rejects(handler({}, {}), (error) => error instanceof IdempotencyError && error.code === 'KEY_MISSING');
  assert.equal(typeof dynamoDBStore({ tableName: 'any' }).insert, 'function');
  assert.throws(() => dynamoDBStore({}), /tableName/);
  const guard = idempotentRoute({ store: memoryStore(), operation: 'pay', scope: 'anonymous' });
  const request = () =>
    new Request('http://a.example', { method: 'POST', headers: { 'idempotency-key': 'k' }, body: '{}' });
  const texts = [1, 2].map(async (n) => (await guard(request(), async () => new Response(`${n}`))).status);
  assert.deepEqual((await Promise.all(texts)).sort(), [200, 409]);
  const old = powertoolsRecords({ tableName: 'any', mode: 'readThrough', eventKeyJmesPath: 'id' });
  assert.doesNotThrow(() => idempotency({ store: memoryStore(), operation: 'pay', key: 'id', migrateFrom: old }));
  console.log(`Node ${process.version}, @middy/core ${version}, ${how}: ok`);
};
if (require.main === module) module.exports('require');
