// In place of what reads credentials from profiles, SSO, processes and web identities. Lambda needs none of it.
const leftOut = (what) => () => async () => {
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI } = process.env;
  const hasEndpoint = Boolean(AWS_CONTAINER_CREDENTIALS_FULL_URI || AWS_CONTAINER_CREDENTIALS_RELATIVE_URI);
  const message = `The environment has no AWS credentials, and this bundle leaves ${what} out: see its alias.`;
  // The SDK goes on to the container's endpoint where there is one.
  throw Object.assign(new Error(message), { name: 'CredentialsProviderError', tryNextLink: hasEndpoint });
};

exports.fromIni = leftOut('profiles (credential-provider-ini)');
exports.fromProcess = leftOut('processes (credential-provider-process)');
exports.fromSSO = leftOut('SSO (credential-provider-sso)');
exports.fromTokenFile = leftOut('web identities (credential-provider-web-identity)');
