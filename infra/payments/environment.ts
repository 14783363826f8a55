import type { PaymentsScope } from './api.ts';

/** @throws Error that names the environment variable when it is not set: the deployment fails, not the first payment */
export function requireEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`The environment variable ${name} is not set. Set it in the function's configuration.`);
  }
  return value;
}

/** `PAYMENTS_SCOPE`, `'verified'` when it is not set. @throws Error when it is anything else */
export function scopeFromEnvironment(): PaymentsScope {
  const value = process.env['PAYMENTS_SCOPE'] || 'verified';
  if (value === 'verified' || value === 'anonymous') return value;
  throw new Error(`The environment variable PAYMENTS_SCOPE must be 'verified' or 'anonymous', not '${value}'.`);
}
