import type { MSKEvent, MSKRecord, SelfManagedKafkaEvent } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { notFrom, type SourceKey, sourceKey } from './source-key.ts';

const KAFKA = 'Apache Kafka';

/** A record with the name of its cluster, which an event has once for all its records. */
export type KafkaRecord = MSKRecord & {
  /** The cluster's ARN (Amazon MSK), or its bootstrap servers in alphabetical order (self-managed). */
  readonly cluster: string;
};

/**
 * The records of an event of Amazon MSK or a self-managed cluster, as a list. Those of one partition keep their order.
 *
 * @throws IdempotencyError `KEY_INVALID` for an event of another shape
 */
export function kafkaRecords(event: MSKEvent | SelfManagedKafkaEvent): readonly KafkaRecord[] {
  const { records } = fields(event);
  const cluster = clusterOf(fields(event));
  const partitions: readonly unknown[] = Object.values(fields(records));
  if (cluster === undefined || !partitions.every(Array.isArray)) {
    throw notFrom(KAFKA, 'It is no event of Amazon MSK or a self-managed cluster');
  }
  return partitions.flat().map((record) => ({ ...record, cluster }));
}

/**
 * A record of a topic: cluster, topic, partition, offset and timestamp. The timestamp is there
 * because a topic that is made anew counts its offsets from 0 again. As JMESPath: {@link
 * KAFKA_RECORD_KEY}. Both read what {@link kafkaRecords} makes of an event.
 *
 * Catches: a batch that Lambda reads again, after a failure, a rebalance, or a consumer group's offsets set back.
 * Does not catch: a producer without `enable.idempotence` that sends twice, with two offsets.
 * Neither does it catch the same record in a mirrored cluster, or after the list of bootstrap
 * servers was changed. Take a business key for these:
 * `powertools_json(powertools_base64(value)).orderId`.
 *
 * Retention: longer than the topic's.
 *
 * @throws IdempotencyError `KEY_INVALID` for a record of another shape
 */
export function kafkaRecordKey(record: KafkaRecord): SourceKey {
  const { cluster, topic, partition, offset, timestamp } = fields(record);
  return sourceKey(KAFKA, true, { cluster, topic, partition, offset, timestamp });
}

/** {@link kafkaRecordKey} as JMESPath. */
export const KAFKA_RECORD_KEY = '[cluster, topic, partition, offset, timestamp]';

function clusterOf({ eventSource, eventSourceArn, bootstrapServers }: Readonly<Record<string, unknown>>) {
  const name = eventSource === 'aws:kafka' ? eventSourceArn : eventSource === 'SelfManagedKafka' && bootstrapServers;
  return typeof name === 'string' && name !== '' ? name.split(',').sort().join(',') : undefined;
}
