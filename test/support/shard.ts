import type { SQSBatchItemFailure } from 'aws-lambda';

type Response = { readonly batchItemFailures?: readonly SQSBatchItemFailure[] } | null | undefined;

/**
 * A shard with its event source mapping, as the AWS pages "Configuring partial batch response with Kinesis Data Streams and
 * Lambda" and "… with DynamoDB and Lambda" have it: the lowest sequence number that is reported is the checkpoint, and Lambda
 * delivers from there again.
 */
export class TestShard<T> {
  readonly #records: readonly T[];
  readonly #sequenceNumber: (record: T) => string;
  #checkpoint = 0;

  constructor(records: readonly T[], sequenceNumber: (record: T) => string) {
    this.#records = records;
    this.#sequenceNumber = sequenceNumber;
  }

  /** The records that are still to be delivered. */
  get pending(): readonly T[] {
    return this.#records.slice(this.#checkpoint);
  }

  /** One invocation with all pending records. Answers what the handler did. */
  async poll(handler: (event: { Records: T[] }) => Promise<unknown>): Promise<unknown> {
    const Records = structuredClone([...this.pending]);
    let response: unknown;
    try {
      response = await handler({ Records });
    } catch (error) {
      return error;
    }
    const failures = (response as Response)?.batchItemFailures ?? [];
    const positions = failures.map(({ itemIdentifier }) =>
      this.#records.findIndex((record) => this.#sequenceNumber(record) === itemIdentifier),
    );
    // What Lambda does not know is a failure of the whole batch.
    this.#checkpoint = positions.includes(-1) ? this.#checkpoint : Math.min(this.#records.length, ...positions);
    return response;
  }
}
