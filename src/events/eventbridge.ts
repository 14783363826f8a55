import type { EventBridgeEvent } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { type SourceKey, sourceKey } from './source-key.ts';

/**
 * An event of a bus: account, region and source, and the id that EventBridge gave it. As JMESPath:
 * {@link EVENTBRIDGE_EVENT_KEY}.
 *
 * Catches: EventBridge delivering again, a second rule with the same target, and Lambda's own retries of the asynchronous
 * invocation.
 * Does not catch: a producer that puts an event twice, with two ids. Take a business key from
 * `detail`. S3 is such a producer: its repeats have the same `detail.object.sequencer`. Decide what
 * a replay of an archive is: `"replay-name"` in the key handles it again. Without it nothing is
 * promised, because AWS does not say whether the id stays.
 *
 * Retention: EventBridge tries for 24 hours ("How EventBridge retries delivering events"), then Lambda for up to 6.
 *
 * @throws IdempotencyError `KEY_INVALID` for an event of another shape, one that an input transformer has made included
 */
export function eventBridgeEventKey(event: EventBridgeEvent<string, unknown>): SourceKey {
  const { account, region, source, id, 'detail-type': detailType } = fields(event);
  return sourceKey('Amazon EventBridge', typeof detailType === 'string', { account, region, source, id });
}

/** {@link eventBridgeEventKey} as JMESPath. */
export const EVENTBRIDGE_EVENT_KEY = '[account, region, source, id]';
