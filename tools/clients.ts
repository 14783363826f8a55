import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** DynamoDB Local takes any credentials. Fixed ones keep a person's real ones out of this. */
export const LOCAL_ACCESS = {
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
} as const;

export function localDynamoDB(endpoint: string): DynamoDBClient {
  const requestHandler = { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true };
  return new DynamoDBClient({ endpoint, ...LOCAL_ACCESS, requestHandler });
}

/** The same for a process of its own. */
export function localEnvironment(endpoints: Readonly<Record<`AWS_ENDPOINT_URL_${string}`, string>>) {
  return {
    ...endpoints,
    AWS_REGION: LOCAL_ACCESS.region,
    AWS_ACCESS_KEY_ID: LOCAL_ACCESS.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_ACCESS.credentials.secretAccessKey,
  };
}
