import { answerOf } from './exchange.ts';

/** Of an AWS identity, as the providers of `@aws-sdk/credential-providers` give them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Comes with credentials that end, such as those of a role. @default none */
  readonly sessionToken?: string | undefined;
  /** Until when they are valid. @default for this request */
  readonly expiration?: Date | undefined;
}

/** Called when a request needs credentials, and again shortly before those that it gave end. */
export type CredentialsProvider = () => Credentials | Promise<Credentials>;

type Environment = Readonly<Record<string, string | undefined>>;

interface Surroundings {
  readonly env: Environment;
  /** Wall clock, epoch milliseconds. */
  now(): number;
}

/** Nothing that a request needs may end on its way. */
const REFRESH_BEFORE_END_MILLIS = 5 * 60_000;

/**
 * The credentials of the next request. Lambda's own stand in the environment: they are read each time, because they
 * change while the process lives.
 *
 * The function that it returns throws Error `CredentialsProviderError` when there are none.
 */
export function credentialsOf(
  given: Credentials | CredentialsProvider | undefined,
  { env, now }: Surroundings,
): CredentialsProvider {
  const checked = (provider: CredentialsProvider) => async () => {
    try {
      return requireCredentials(await provider());
    } catch (cause) {
      throw credentialsError(`The credentials provider failed: ${(cause as Error | undefined)?.message}`, cause);
    }
  };
  if (given !== undefined) return typeof given === 'function' ? kept(checked(given), now) : () => given;
  const ofContainer = kept(
    checked(() => containerCredentials(env)),
    now,
  );
  return () => {
    const {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    } = env;
    if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey, sessionToken };
    if (env['AWS_CONTAINER_CREDENTIALS_FULL_URI']) return ofContainer();
    throw credentialsError(
      'The environment has no AWS credentials. Give `credentials`, or use the store of middy-idempotency/dynamodb: ' +
        'the SDK looks in profiles, SSO and instance metadata, too.',
    );
  };
}

/** Asks once for all requests at a time. Credentials that still are valid outlast a provider that fails. */
function kept(provider: CredentialsProvider, now: () => number): CredentialsProvider {
  let current: Credentials | undefined;
  let asked: Promise<Credentials> | undefined;
  const isGood = (millis: number) => Number(current?.expiration) - now() > millis;

  return async () => {
    if (current !== undefined && isGood(REFRESH_BEFORE_END_MILLIS)) return current;
    asked ??= Promise.resolve(provider()).finally(() => {
      asked = undefined;
    });
    try {
      current = await asked;
    } catch (error) {
      if (current === undefined || !isGood(0)) throw error;
    }
    return current;
  };
}

function requireCredentials(credentials: Credentials): Credentials {
  const { accessKeyId, secretAccessKey } = credentials ?? {};
  if (isText(accessKeyId) && isText(secretAccessKey)) return credentials;
  throw new TypeError('it gave no accessKeyId and secretAccessKey');
}

const ASK_MILLIS = 1000;
const MAX_TRIES = 3;

/** AWS: "Container credential provider" in the SDKs' reference guide. */
async function containerCredentials(env: Environment): Promise<Credentials> {
  const url = new URL(String(env['AWS_CONTAINER_CREDENTIALS_FULL_URI']));
  if (url.protocol !== 'https:' && !isOwnHost(url.hostname)) throw new Error(`${url.host} is not asked without TLS`);
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  for (let tries = 1; ; tries++) {
    try {
      const token = file
        ? await process.getBuiltinModule('node:fs').promises.readFile(file, 'utf8')
        : env['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
      return await ask(url, token?.trim());
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
    }
  }
}

async function ask(url: URL, token: string | undefined): Promise<Credentials> {
  const { request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https');
  const headers = { accept: 'application/json', ...(token && { authorization: token }) };
  const { status, body } = await answerOf(request(url, { headers, signal: AbortSignal.timeout(ASK_MILLIS) }));
  if (status !== 200) throw new Error(`status ${status}`);
  // The parser's own error quotes the text: a secret.
  const found = parsed(body.toString());
  if (!isText(found?.['Token'])) throw new Error('its answer has no credentials');
  return {
    accessKeyId: found['AccessKeyId'] as string,
    secretAccessKey: found['SecretAccessKey'] as string,
    sessionToken: found['Token'],
    expiration: new Date(String(found['Expiration'])),
  };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The loopback addresses, and those of the agents of ECS and EKS. */
function isOwnHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\]|169\.254\.170\.(2|23)|\[fd00:ec2::23\])$/.test(host);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function credentialsError(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { name: 'CredentialsProviderError' });
}
