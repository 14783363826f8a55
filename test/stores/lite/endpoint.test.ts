import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type EndpointOptions, resolveEndpoint } from '../../../src/stores/dynamodb/lite/endpoint.ts';
import { dynamoDBStore } from '../../../src/stores/dynamodb/lite.ts';

type Environment = Record<string, string>;

const REGIONS = [
  ...['us-east-1', 'us-west-2', 'eu-central-1', 'ap-southeast-7', 'sa-east-1', 'ca-west-1', 'me-south-1', 'af-south-1'],
  ...[
    'il-central-1',
    'mx-central-1',
    'cn-north-1',
    'cn-northwest-1',
    'us-gov-west-1',
    'us-gov-east-1',
    'us-iso-east-1',
  ],
  ...['us-isob-east-1', 'eu-isoe-west-1', 'us-isof-south-1', 'eusc-de-east-1', 'local', 'no-such-region-9', 'moon'],
];
const FLAGS: readonly Environment[] = [
  {},
  { AWS_USE_FIPS_ENDPOINT: 'true' },
  { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
  { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
  { AWS_USE_FIPS_ENDPOINT: 'false', AWS_USE_DUALSTACK_ENDPOINT: 'false' },
];
const CUSTOM: readonly Environment[] = [
  { AWS_ENDPOINT_URL: 'http://127.0.0.1:8001' },
  { AWS_ENDPOINT_URL_DYNAMODB: 'https://proxy.example:8443/dynamodb' },
  { AWS_ENDPOINT_URL: 'http://all.example', AWS_ENDPOINT_URL_DYNAMODB: 'http://[::1]:8000' },
  { AWS_ENDPOINT_URL: 'http://all.example', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
];

/** What the SDK would send to, and the region that it signs for. */
async function ofSdk(env: Environment, options: EndpointOptions): Promise<string> {
  for (const [name, value] of Object.entries({ AWS_CONFIG_FILE: '/nowhere', ...env })) vi.stubEnv(name, value);
  const { region, endpoint } = options;
  const client = new DynamoDBClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  });
  let seen = '';
  client.middlewareStack.add(
    () => async (args) => {
      const { protocol, hostname, port, path, headers } = args.request as {
        readonly headers: Record<string, string>;
        readonly protocol: string;
        readonly hostname: string;
        readonly port?: number;
        readonly path: string;
      };
      const [, signingRegion] = /\/\d{8}\/([^/]+)\/dynamodb/.exec(headers['authorization'] ?? '') ?? [];
      seen = `${protocol}//${hostname}${port ? `:${port}` : ''}${path} ${signingRegion}`;
      throw new Error('seen');
    },
    { step: 'deserialize', priority: 'low' },
  );
  const error = await client.send(new ListTablesCommand({})).catch((thrown: Error) => thrown);
  client.destroy();
  vi.unstubAllEnvs();
  return seen || (error as Error).name;
}

function ours(env: Environment, options: EndpointOptions): string {
  try {
    const { url, region } = resolveEndpoint(options, env);
    return `${url.protocol}//${url.host}${url.pathname} ${region}`;
  } catch (error) {
    return (error as Error).name;
  }
}

afterEach(() => vi.unstubAllEnvs());

describe('the endpoint', () => {
  it.each(REGIONS)("is the SDK's: %s, with FIPS, with dual stack, with both", async (AWS_REGION) => {
    for (const flags of FLAGS) {
      const env = { AWS_REGION, ...flags };
      expect([flags, ours(env, {})]).toEqual([flags, await ofSdk(env, {})]);
      expect([flags, ours(flags, { region: AWS_REGION })]).toEqual([flags, await ofSdk(flags, { region: AWS_REGION })]);
    }
  });

  it.each(CUSTOM)("is the SDK's with %j", async (custom) => {
    for (const flags of FLAGS) {
      const env = { AWS_REGION: 'eu-west-1', ...custom, ...flags };
      expect([flags, ours(env, {})]).toEqual([flags, await ofSdk(env, {})]);
    }
  });

  it("is the store's own before that of the environment", async () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_DYNAMODB: 'http://other.example' };
    const options = { endpoint: 'http://127.0.0.1:8000', region: 'us-east-1' };
    expect(ours(env, options)).toBe('http://127.0.0.1:8000/ us-east-1');
    expect(ours(env, options)).toBe(await ofSdk(env, options));
  });

  it('is that of the region for an account with an endpoint of its own, unless one is required', () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_ACCOUNT_ID: '123456789012' };
    expect(ours(env, {})).toBe('https://dynamodb.eu-west-1.amazonaws.com/ eu-west-1');
    expect(ours({ ...env, AWS_ACCOUNT_ID_ENDPOINT_MODE: 'required' }, {})).toBe('EndpointError');
  });

  it.each([
    ['no region', {}, 'Region is missing'],
    ['an empty region', { AWS_REGION: '' }, 'Region is missing'],
    ['a region that names another host', { AWS_REGION: 'evil.example/#' }, 'is no part of a host name'],
    [
      'a flag that is neither true nor false',
      { AWS_REGION: 'eu-west-1', AWS_USE_FIPS_ENDPOINT: 'yes' },
      'AWS_USE_FIPS_ENDPOINT',
    ],
    ['an endpoint that is no URL', { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'localhost:8000' }, 'must be a URL'],
    [
      'an endpoint with a password',
      { AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://me:secret@host' },
      'must be a URL',
    ],
  ])('is refused with %s: nothing is sent', async (_, env, message) => {
    for (const name of ['AWS_REGION', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_DYNAMODB']) vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
    const error = await dynamoDBStore({ tableName: 'any', credentials })
      .read('x')
      .catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
    expect(error.unanswered).toBeUndefined();
    expect(error.advice).toContain(message);
    expect(error.advice).not.toContain('secret');
  });
});
