import { createHash } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';

/** An event of an SQS queue with these messages. A text stays as it is, anything else becomes JSON. */
export function sqsEvent(bodies: readonly unknown[]): SQSEvent {
  return {
    Records: bodies.map((given, index) => {
      const body = typeof given === 'string' ? given : JSON.stringify(given);
      return {
        messageId: `059f36b4-87a3-44ab-83d2-66197500000${index}`,
        receiptHandle: `receipt-${index}-1`,
        body,
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: '1767225600000',
          SenderId: 'AIDAEXAMPLE',
          ApproximateFirstReceiveTimestamp: '1767225600000',
        },
        messageAttributes: {},
        md5OfBody: createHash('md5').update(body).digest('hex'),
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:queue',
        awsRegion: 'eu-central-1',
      };
    }),
  };
}
