import type { MSKEvent, MSKRecord, SelfManagedKafkaEvent } from 'aws-lambda';
import { fields } from '../request-key/data.ts';
import { notFrom, type SourceKey, sourceKey } from './source-key.ts';

const KAFKA = 'Apache Kafka';

type Fields = Readonly<Record<string, unknown>>;

/** A record with the name of its cluster, which an event of Lambda has once for all its records. */
export type KafkaRecord = MSKRecord & {
  /** The cluster's ARN (Amazon MSK), or its bootstrap servers in alphabetical order (self-managed). */
  readonly cluster: string;
};

/** A record as EventBridge Pipes deliver it. They say in each record where it is from. */
export type PipesKafkaRecord = Omit<MSKRecord, 'partition'> &
  Pick<MSKEvent | SelfManagedKafkaEvent, 'eventSource'> & {
    readonly partition: number | string;
    readonly eventSourceArn?: string;
    readonly bootstrapServers?: string;
  };

/**
 * The records of an event of Amazon MSK or a self-managed cluster, as a list. Those of one partition keep their order.
 * The event is one of Lambda's own event source mapping, or the list of records that EventBridge Pipes deliver. A record has
 * the same key either way.
 *
 * @throws IdempotencyError `KEY_INVALID` for an event of another shape
 */
export function kafkaRecords(
  event: MSKEvent | SelfManagedKafkaEvent | readonly PipesKafkaRecord[],
): readonly KafkaRecord[] {
  if (Array.isArray(event)) return event.map((record) => withCluster(fields(record)));
  const { records } = fields(event);
  const cluster = clusterOf(fields(event));
  const partitions: readonly unknown[] = Object.values(fields(records));
  if (!partitions.every(Array.isArray)) throw notOfKafka();
  return partitions.flat().map((record) => withCluster(fields(record), cluster));
}

/** Pipes deliver the partition as text ("Amazon Managed Streaming for Apache Kafka topic as a source in EventBridge Pipes"). */
function withCluster(record: Fields, cluster = clusterOf(record)): Fields & KafkaRecord {
  const { partition } = record;
  const isText = typeof partition === 'string' && /^\d+$/.test(partition);
  return { ...record, cluster, ...(isText && { partition: Number(partition) }) } as Fields & KafkaRecord;
}

/**
 * A record of a topic: cluster, topic, partition, offset and timestamp. The timestamp is there
 * because a topic that is made anew counts its offsets from 0 again. As JMESPath: {@link
 * KAFKA_RECORD_KEY}. Both read what {@link kafkaRecords} makes of an event. The function also reads a record as EventBridge
 * Pipes deliver it.
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
export function kafkaRecordKey(record: KafkaRecord | PipesKafkaRecord): SourceKey {
  const given = fields(record);
  const { cluster, topic, partition, offset, timestamp } = 'cluster' in given ? given : withCluster(given);
  return sourceKey(KAFKA, true, { cluster, topic, partition, offset, timestamp });
}

/** {@link kafkaRecordKey} as JMESPath. */
export const KAFKA_RECORD_KEY = '[cluster, topic, partition, offset, timestamp]';

/** Of an event, or of a record of Pipes. @throws IdempotencyError `KEY_INVALID` */
function clusterOf({ eventSource, eventSourceArn, bootstrapServers }: Fields): string {
  const name = eventSource === 'aws:kafka' ? eventSourceArn : eventSource === 'SelfManagedKafka' && bootstrapServers;
  if (typeof name !== 'string' || name === '') throw notOfKafka();
  // The ARN of a self-managed cluster, in Pipes, is its address with this scheme.
  const servers = name.split(',').map((server) => server.replace(/^smk:\/\//, ''));
  return servers.sort().join(',');
}

function notOfKafka() {
  return notFrom(KAFKA, 'It is no event of Amazon MSK or a self-managed cluster');
}
