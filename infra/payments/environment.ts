/** @throws Error that names the environment variable when it is not set: the deployment fails, not the first payment */
export function requireEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`The environment variable ${name} is not set. Set it in the function's configuration.`);
  }
  return value;
}
