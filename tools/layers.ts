import { posix } from 'node:path';

const ALL_PACKAGES = 'packages';
const PROTOCOL = ['src/errors', 'src/json', 'src/core', 'src/core/record'];
const GUARD = [
  'src/errors',
  'src/json',
  'src/builtins',
  'src/core/**',
  'src/request-key',
  'src/runtime',
  'src/warnings',
];

/**
 * The rooms of the house, and what each may import besides itself: other rooms, and packages.
 * A room is a file, a folder or both: `src/json` is `src/json.ts`, `src/http` is `src/http/`. A file is in the room with the longest
 * name. `src/**` stands for every room in `src`.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'src/errors': [],
  'src/json': [],
  'src/builtins': [],
  'src/core/record': ['src/errors', 'src/json'],
  'src/core': PROTOCOL,
  'src/core/execution': PROTOCOL,
  'src/core/claim': [...PROTOCOL, 'src/core/execution'],
  'src/request-key': [...PROTOCOL, 'src/builtins', 'node:buffer'],
  'src/runtime': ['src/core', 'src/builtins'],
  'src/nesting': ['src/errors', 'src/builtins', 'src/core/execution'],
  'src/warnings': ['src/errors', 'src/core'],
  'src/operation': [...GUARD, 'src/nesting'],
  'src/function': [...GUARD, 'src/operation', 'src/nesting'],
  'src/transaction': [...GUARD, 'src/operation', 'src/function'],
  'src/middy': [...GUARD, 'src/operation', 'src/nesting', 'aws-lambda'],
  'src/http': [...GUARD, 'src/operation', 'src/middy'],
  'src/fetch': [...GUARD, 'src/operation', 'src/function', 'src/http'],
  'src/jmespath': ['src/request-key', '@aws-lambda-powertools/jmespath'],
  'src/emf': ['src/core'],
  'src/events': ['src/errors', 'src/request-key', 'aws-lambda'],
  'src/stores': [
    'src/errors',
    'src/json',
    'src/builtins',
    'src/core/**',
    'src/stores/dynamodb/sdk',
    'src/stores/dynamodb/lite',
    'src/stores/postgres/idempotent-transaction',
  ],
  'src/stores/dynamodb/sdk': ['src/errors', 'src/stores', '@aws-sdk/**'],
  // No SDK. Of builtins only types: the process gives them at run time.
  'src/stores/dynamodb/lite': [
    'src/errors',
    'src/json',
    'src/builtins',
    'src/core/**',
    'src/stores',
    'node:crypto',
    'node:http',
  ],
  'src/stores/postgres/idempotent-transaction': [
    ...GUARD,
    'src/operation',
    'src/function',
    'src/transaction',
    'src/stores',
  ],
  'src/powertools': [
    ...GUARD,
    'src/stores',
    'src/stores/dynamodb/sdk',
    '@aws-lambda-powertools/jmespath',
    '@aws-sdk/client-dynamodb',
    '@aws-sdk/lib-dynamodb',
  ],
  'src/operator': [...GUARD, 'src/function', 'src/http'],
  'src/cli': [
    'src/errors',
    'src/index',
    'src/jmespath',
    'src/operator',
    'src/powertools',
    'src/stores',
    '@aws-sdk/client-dynamodb',
    'node:**',
  ],
  'src/cdk': ['aws-cdk-lib', 'constructs'],
  'src/testing': ['src/errors', 'src/json', 'src/core/**', 'src/stores', 'aws-lambda', 'node:**'],
  'src/index': [...GUARD, 'src/operation', 'src/function', 'src/middy', 'src/transaction'],

  tools: [ALL_PACKAGES],
  infra: ['tools', ALL_PACKAGES],
  'infra/local': ['infra', 'tools', ALL_PACKAGES],
  examples: [ALL_PACKAGES],
  test: ['src/**', 'tools', ALL_PACKAGES],
  'test/examples': ['src/**', 'tools', 'test', 'examples', ALL_PACKAGES],
  'test/infra': ['src/**', 'tools', 'test', 'infra/**', ALL_PACKAGES],
  'test/deploy': ['src/**', 'tools', 'test', 'test/infra', 'infra/**', ALL_PACKAGES],
  proofs: ['src/**', 'tools', 'test', 'infra', ALL_PACKAGES],
  'proofs/consumers': ['src/**', 'tools', 'test', 'proofs', 'infra/**', ALL_PACKAGES],
  // The witness of its engine writes what the oracle of the proofs reads.
  'docs/playground': ['src/**', 'proofs', 'tools', ALL_PACKAGES],
  'test/docs': ['src/**', 'tools', 'test', 'proofs', 'docs/playground', ALL_PACKAGES],
  bench: ['src/**', 'tools', ALL_PACKAGES],
  'docs/astro.config': ['docs/site', ALL_PACKAGES],
  'docs/site': [ALL_PACKAGES],
  'docs/test': ['tools', ALL_PACKAGES],
};

/** Imports and re-exports of a formatted file, those of types included: they begin a line. `import()` stands anywhere. */
const IMPORT = /^(?:import|export)\s(?:[^;'"]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/gm;

/** What is wrong with the imports of a file: a line for each. */
export function misplacedImports(file: string, text: string): string[] {
  const room = roomOf(file);
  if (room === undefined) return [`${file} is in no room: give it one in tools/layers.ts`];
  return importsOf(text)
    .filter((specifier) => !mayImport(room, file, specifier))
    .map((specifier) => `${file} imports ${specifier}: not in the list of ${room} in tools/layers.ts`);
}

function importsOf(text: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, declared, called]) => declared ?? called ?? '');
}

function mayImport(room: string, file: string, specifier: string): boolean {
  const allowed = ROOMS[room] ?? [];
  if (!specifier.startsWith('.')) {
    return allowed.some((name) => name === ALL_PACKAGES || isAll(name, specifier) || isWithin(name, specifier));
  }
  const target = posix.join(posix.dirname(file), specifier);
  const targetRoom = roomOf(target);
  // A file in the root of the repository is a setting: only the package does without them.
  if (targetRoom === undefined) return !target.includes('/') && !room.startsWith('src/');
  return targetRoom === room || allowed.some((name) => name === targetRoom || isAll(name, target));
}

function roomOf(file: string): string | undefined {
  const around = Object.keys(ROOMS).filter((room) => isWithin(room, file));
  return around.sort((one, other) => other.length - one.length)[0];
}

const isAll = (name: string, path: string) => name.endsWith('**') && path.startsWith(name.slice(0, -2));

const isWithin = (name: string, path: string) => path === name || path === `${name}.ts` || path.startsWith(`${name}/`);
