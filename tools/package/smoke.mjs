import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as root from 'middy-idempotency';
import * as dynamodb from 'middy-idempotency/dynamodb';
import smoke from './smoke.cjs';

// One copy of the package, whichever way it is loaded: an error is an instance of the class that the user imported.
const require = createRequire(import.meta.url);
assert.equal(require('middy-idempotency').IdempotencyError, root.IdempotencyError);
assert.equal(require('middy-idempotency/dynamodb').dynamoDBStore, dynamodb.dynamoDBStore);
await smoke('import');
