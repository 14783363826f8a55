/** Who may call the API, and how the gateway finds out. */
export type Authorization =
  /** Requests signed with AWS credentials (Signature Version 4). */
  | { readonly kind: 'iam' }
  /** Bearer tokens of an OpenID Connect issuer. */
  | { readonly kind: 'jwt'; readonly issuer: string; readonly audience: readonly string[] }
  /** Every caller. All share one space of idempotency keys. */
  | { readonly kind: 'anonymous' };

/** How the idempotency store reaches DynamoDB: through the AWS SDK, or without it. */
export type Transport = 'sdk' | 'lite';

export interface DeploymentSettings {
  readonly authorization: Authorization;
  readonly transport: Transport;
  /** Whether the tables are protected, and stay when the stack goes. */
  readonly keep: boolean;
}

const HELP =
  'Choose who may call. -c auth=iam (the default): requests signed with AWS credentials. ' +
  '-c auth=jwt -c jwtIssuer=https://… -c jwtAudience=…: bearer tokens; separate audiences by commas. ' +
  '-c auth=anonymous: every caller, for a short try only. ' +
  'Add -c keep=true to protect and keep the tables, -c transport=lite for the idempotency store without the AWS SDK.';

/** What to deploy, from the context of the CDK app (`-c name=value`). @throws Error that says what may be chosen */
export function readDeploymentSettings(context: (name: string) => unknown): DeploymentSettings {
  return {
    authorization: readAuthorization(context),
    transport: readTransport(context('transport')),
    keep: readKeep(context('keep')),
  };
}

function readAuthorization(context: (name: string) => unknown): Authorization {
  const auth = context('auth') ?? 'iam';
  const issuer = context('jwtIssuer');
  const audience = context('jwtAudience');
  if (auth !== 'jwt' && (issuer !== undefined || audience !== undefined)) {
    throw new Error(`jwtIssuer and jwtAudience need auth=jwt. ${HELP}`);
  }
  switch (auth) {
    case 'iam':
      return { kind: 'iam' };
    case 'anonymous':
      return { kind: 'anonymous' };
    case 'jwt':
      return { kind: 'jwt', issuer: readIssuer(issuer), audience: readAudience(audience) };
    default:
      throw new Error(`auth is '${auth}'. ${HELP}`);
  }
}

/**
 * A string from the command line, a boolean from `cdk.json`. Another value is refused: a typo must
 * not cost a table.
 */
function readKeep(keep: unknown = false): boolean {
  const text = String(keep);
  if (text !== 'true' && text !== 'false') throw new Error(`keep is '${text}', not true or false. ${HELP}`);
  return text === 'true';
}

function readTransport(transport: unknown = 'sdk'): Transport {
  if (transport !== 'sdk' && transport !== 'lite')
    throw new Error(`transport is '${transport}', not sdk or lite. ${HELP}`);
  return transport;
}

function readIssuer(issuer: unknown): string {
  const isUrl = typeof issuer === 'string' && URL.parse(issuer)?.protocol === 'https:';
  if (!isUrl) throw new Error(`auth=jwt needs jwtIssuer, the https URL of the issuer. ${HELP}`);
  return issuer;
}

function readAudience(audience: unknown): readonly string[] {
  const names = typeof audience === 'string' ? audience.split(',').map((name) => name.trim()) : [];
  if (names.length === 0 || names.includes('')) throw new Error(`auth=jwt needs jwtAudience. ${HELP}`);
  return names;
}
