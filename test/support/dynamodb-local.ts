import type { TestProject } from 'vitest/node';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';

declare module 'vitest' {
  interface ProvidedContext {
    dynamoDBEndpoint: string;
  }
}

/** Vitest's global setup: one DynamoDB Local for the whole run; every test file makes a table of its own in it. */
export async function setup(project: TestProject) {
  const { endpoint, stop } = await startDynamoDBLocal();
  project.provide('dynamoDBEndpoint', endpoint);
  return stop;
}
