import { REGION_MISSING } from '../failure.ts';

/** Where DynamoDB is, and for which region its requests are signed. */
export interface Endpoint {
  readonly url: URL;
  readonly region: string;
}

export interface EndpointOptions {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const AWS = ['amazonaws.com', 'api.aws'] as const;
/**
 * Domain names of the partitions that have others than `aws`: for IPv4, and for both IP versions. By what stands before
 * the last two parts of a region's name (`partitions.json` of the AWS SDKs).
 */
const PARTITIONS: Readonly<Record<string, readonly [suffix: string, dualStackSuffix: string]>> = {
  cn: ['amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  'eusc-de': ['amazonaws.eu', 'api.amazonwebservices.eu'],
  'us-iso': ['c2s.ic.gov', 'api.aws.ic.gov'],
  'us-isob': ['sc2s.sgov.gov', 'api.aws.scloud'],
  'eu-isoe': ['cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  'us-isof': ['csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
};

/**
 * As the SDK finds it ("Service-specific endpoints", "Dual-stack and FIPS endpoints" in the AWS SDKs' reference guide).
 * Account-based endpoints are left out: they would bind a connection to the credentials of one request. Every table
 * answers at the endpoint of its region, too.
 *
 * @throws Error `Region is missing`
 * @throws Error `EndpointError` that says which setting is wrong
 */
export function resolveEndpoint(options: EndpointOptions, env: Environment): Endpoint {
  const region = options.region ?? env['AWS_REGION'];
  if (region === undefined || region === '') throw new Error(REGION_MISSING);
  if (!isHostLabel(region)) throw endpointError(`The region '${region}' is no part of a host name.`);
  const isFips = flag(env, 'AWS_USE_FIPS_ENDPOINT');
  const isDualStack = flag(env, 'AWS_USE_DUALSTACK_ENDPOINT');
  const configured = options.endpoint ?? configuredEndpoint(env);
  if (configured !== undefined) {
    if (isFips || isDualStack)
      throw endpointError('An endpoint of your own cannot be combined with FIPS or dual stack.');
    return { url: urlOf(configured), region };
  }
  if (region === 'local') {
    if (isFips || isDualStack) throw endpointError("The region 'local' has no FIPS and no dual-stack endpoint.");
    return { url: new URL('http://localhost:8000'), region: 'us-east-1' };
  }
  if (env['AWS_ACCOUNT_ID_ENDPOINT_MODE'] === 'required') {
    throw endpointError('Account-based endpoints need the store of middy-idempotency/dynamodb.');
  }
  const [, prefix = ''] = /^([a-z-]+)-\w+-\d+$/.exec(region) ?? [];
  const [suffix, dualStackSuffix] = PARTITIONS[prefix] ?? AWS;
  // In GovCloud every endpoint is a FIPS endpoint.
  const host = isFips && (isDualStack || prefix !== 'us-gov') ? 'dynamodb-fips' : 'dynamodb';
  return { url: new URL(`https://${host}.${region}.${isDualStack ? dualStackSuffix : suffix}`), region };
}

/** @throws Error `EndpointError` */
export function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search + url.hash + url.username !== '') {
    throw endpointError('The endpoint must be a URL such as https://host:port');
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** RFC 1123, section 2.1. */
export function isHostLabel(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text);
}

function configuredEndpoint(env: Environment): string | undefined {
  if (flag(env, 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')) return undefined;
  return env['AWS_ENDPOINT_URL_DYNAMODB'] || env['AWS_ENDPOINT_URL'] || undefined;
}

function flag(env: Environment, name: string): boolean {
  const value = env[name] || 'false';
  if (value !== 'true' && value !== 'false') throw endpointError(`${name} must be 'true' or 'false'.`);
  return value === 'true';
}

function endpointError(message: string): Error {
  return Object.assign(new Error(message), { name: 'EndpointError' });
}
