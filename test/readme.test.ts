import { readFileSync } from 'node:fs';
import type { IdempotencyErrorCode, IdempotencyEventType } from 'middy-idempotency';
import { describe, expect, it } from 'vitest';
import { PROTOCOL_OPTION_NAMES } from '../src/core/options.ts';
import { REQUEST_OPTION_NAMES } from '../src/request-key/request-options.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = (title: string) => readme.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

// Typed as records, so that a new code or event does not compile until it is named here, and then in the README.
const CODES: Record<IdempotencyErrorCode, true> = {
  KEY_MISSING: true,
  SCOPE_MISSING: true,
  KEY_INVALID: true,
  KEY_REUSED: true,
  IN_FLIGHT: true,
  OUTCOME_UNKNOWN: true,
  LEASE_LOST: true,
  RESPONSE_NOT_REPLAYABLE: true,
  RECORD_INVALID: true,
  STORE_UNAVAILABLE: true,
};
const EVENTS: Record<IdempotencyEventType, true> = {
  claimed: true,
  takenOver: true,
  replayed: true,
  notReplayable: true,
  inFlight: true,
  keyReused: true,
  outcomeUnknown: true,
  claimFailed: true,
  completed: true,
  released: true,
  held: true,
  leaseLost: true,
  completionFailed: true,
  releaseFailed: true,
  settlePolicyFailed: true,
  unguarded: true,
  refused: true,
  waiting: true,
  checkpointed: true,
  stepSkipped: true,
  checkpointFailed: true,
};

describe('the README', () => {
  it.each([...PROTOCOL_OPTION_NAMES, ...REQUEST_OPTION_NAMES, 'timeoutEarlyInMillis', 'passHandle', 'renewLease'])(
    'documents the option %s',
    (name) => expect(section('Options')).toContain(`\n| \`${name}\` |`),
  );

  it.each(Object.keys(CODES))('documents the error %s', (code) =>
    expect(section('Errors')).toContain(`\n| \`${code}\` |`),
  );

  it.each(Object.keys(EVENTS))('documents the event %s', (type) => expect(section('Events')).toContain(`\`${type}\``));

  it.each(Array.from({ length: 12 }, (_, index) => `I${index + 1}`))('states the promise %s', (promise) =>
    expect(section('What is guaranteed')).toContain(`\n| ${promise} |`),
  );

  it.each(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies }))(
    'gives a reason for the dependency %s',
    (name) => expect(section('Dependencies')).toContain(`\`${name}\``),
  );
});
