import type { S3EventRecord } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { type SourceKey, sourceKey } from './source-key.ts';

/**
 * A change of an object, from a bucket's notifications: bucket, key, version, sequencer, and what happened. As JMESPath:
 * {@link S3_RECORD_KEY}. Without versioning the version is `null`, S3's own name for it.
 *
 * Catches: S3 notifying twice, which happens "on rare occasions" and with the same sequencer ("Event message structure"), and
 * Lambda's own retries of the asynchronous invocation.
 * Does not catch: the same content uploaded twice, which `s3.object.eTag` shows. Neither does it
 * catch an older event that comes after a newer one: compare the sequencers.
 *
 * Only creations and deletions have a sequencer: other events are refused, and need a key of your own.
 *
 * Retention: Lambda tries for up to 6 hours. AWS does not say for how long S3 may repeat itself.
 * Behind a queue or a topic, theirs counts.
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape, or one without a sequencer
 */
export function s3RecordKey(record: Pick<S3EventRecord, 'eventSource' | 'eventName' | 's3'>): SourceKey {
  const { eventSource, eventName, s3 } = fields(record);
  const bucket = fields(fields(s3)['bucket']);
  const { key, versionId, sequencer } = fields(fields(s3)['object']);
  return sourceKey('Amazon S3', eventSource === 'aws:s3', {
    'bucket.arn': bucket['arn'],
    'object.key': key,
    'object.versionId': versionId || 'null',
    'object.sequencer': sequencer,
    eventName,
  });
}

/** {@link s3RecordKey} as JMESPath. It is more than a path: write `jmespath(S3_RECORD_KEY)`. */
export const S3_RECORD_KEY =
  "[s3.bucket.arn, s3.object.key, s3.object.versionId || 'null', s3.object.sequencer, eventName]";
