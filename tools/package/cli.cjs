const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { accessSync, constants } = require('node:fs');
const { join } = require('node:path');
const { recordId } = require('middy-idempotency/operator');

const [how] = process.argv.slice(2);
const bin = join(__dirname, 'node_modules/.bin/middy-idempotency');
accessSync(bin, constants.X_OK);
// `npx` starts the file by its first line, which finds `node` on the PATH: this one.
const path = `${join(process.execPath, '..')}:${process.env.PATH}`;
const env = { ...process.env, PATH: path, AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' };
const npx = (...args) =>
  spawnSync('npx', ['--no-install', 'middy-idempotency', ...args], {
    encoding: 'utf8',
    env,
    input: '{"id":"order-1"}',
  });

const explained = npx('explain', '-', '--key', 'id', '--operation', 'pay', '--json');
assert.equal(explained.stderr, '');
assert.equal(JSON.parse(explained.stdout).id, recordId({ operation: 'pay', key: 'id', event: { id: 'order-1' } }));
assert.equal(npx('--version').stdout.trim(), require('middy-idempotency/package.json').version);
assert.equal(npx('show').status, 2);

// A closed port: nothing is asked but this machine.
const shown = npx('show', 'pay#a', '--table', 't', '--region', 'eu-central-1', '--endpoint', 'http://127.0.0.1:9');
assert.equal(shown.status, 1);
if (how === 'with the AWS SDK') assert.match(shown.stderr, /STORE_UNAVAILABLE/);
else assert.match(shown.stderr, /npm install @aws-sdk\/client-dynamodb @aws-sdk\/lib-dynamodb/);
console.log(`Node ${process.version}, npx middy-idempotency, ${how}: ok`);
