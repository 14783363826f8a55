import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { LOCAL_ACCESS } from './clients.ts';

export interface LocalQueues {
  /** Where it listens: `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  readonly client: SQSClient;
  /** Ends it, and with it the messages that it has in memory. */
  stop(): Promise<void>;
}

/** An SQS-compatible server on a free port, in this process. */
export async function startLocalQueues(): Promise<LocalQueues> {
  // Loaded here, because it takes a second: a wrong start should say so at once.
  const { buildApp } = await import('fauxqs');
  const host = '127.0.0.1';
  const app = buildApp({ logger: false, defaultRegion: LOCAL_ACCESS.region });
  const endpoint = await app.listen({ host, port: 0 });
  const client = new SQSClient({ endpoint, ...LOCAL_ACCESS });
  return {
    endpoint,
    client,
    async stop() {
      client.destroy();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

export interface QueueTerms {
  readonly visibilitySeconds: number;
  /** A message that was received as often as this, and is not deleted, goes to the dead-letter queue. */
  readonly maxReceiveCount: number;
}

export interface LocalQueue {
  readonly client: SQSClient;
  readonly url: string;
  readonly arn: string;
  readonly deadLetterUrl: string;
}

/** A queue and its dead-letter queue. */
export async function createQueue(
  { client, endpoint }: Pick<LocalQueues, 'client' | 'endpoint'>,
  name: string,
  terms: QueueTerms,
): Promise<LocalQueue> {
  // The server's own URLs have a host that only some resolvers know. It knows a queue by its name.
  const create = async (QueueName: string, Attributes: Record<string, string> = {}) => {
    await client.send(new CreateQueueCommand({ QueueName, Attributes }));
    return `${endpoint}/000000000000/${QueueName}`;
  };
  const deadLetterUrl = await create(`${name}-dead-letters`);
  const deadLetterTargetArn = await arnOf(client, deadLetterUrl);
  const url = await create(name, {
    VisibilityTimeout: String(terms.visibilitySeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: terms.maxReceiveCount }),
  });
  return { client, url, arn: await arnOf(client, url), deadLetterUrl };
}

async function arnOf(client: SQSClient, QueueUrl: string): Promise<string> {
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return Attributes?.['QueueArn'] ?? '';
}

/** Messages that wait, and messages that a consumer has. */
export async function depthOf({ client }: LocalQueue, QueueUrl: string): Promise<number> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
  const { Attributes = {} } = await client.send(command);
  const counts = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  return counts.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
}

/** Takes everything out of the dead-letter queue. Answers the bodies. */
export async function drainDeadLetters({ client, deadLetterUrl: QueueUrl }: LocalQueue): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return bodies;
    bodies.push(...Messages.map(({ Body = '' }) => Body));
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
