import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * Looks at what was bundled for Lambda: prints its size, and refuses a package that the function does not need at run
 * time. The bundling runs it with the folder of the bundle, the function's name, and the packages that it needs besides what
 * this package does.
 */
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const root = new URL('../../', import.meta.url);
const read = (path: string | URL) => JSON.parse(readFileSync(path, 'utf8'));
const manifest: Manifest = read(new URL('package.json', root));
const lock: { packages: Readonly<Record<string, Manifest>> } = read(new URL('package-lock.json', root));

/** Peers of the package that a handler has no use for. */
const ONLY_FOR_DEPLOYMENT = ['aws-cdk-lib', 'constructs'];

const [folder = '.', functionName = '', ...needed] = process.argv.slice(2);
const metafile = join(folder, 'index.meta.json');
const { inputs } = read(metafile) as { inputs: Record<string, unknown> };
// It names files of the machine that bundled, and nothing reads it in Lambda.
rmSync(metafile);

const bundled = [
  ...new Set(
    Object.keys(inputs)
      .map(packageOf)
      .filter((name) => name !== undefined),
  ),
].sort();
const allowed = runtimePackages();
const extra = bundled.filter((name) => !allowed.has(name));
if (extra.length > 0) {
  throw new Error(`The Lambda package contains ${extra.join(', ')}, which ${functionName} must not need.`);
}
const code = readFileSync(join(folder, 'index.mjs'));
console.error(
  `${functionName}: ${kilobytes(code.length)} of code, ${kilobytes(gzipSync(code).length)} compressed, ` +
    `from ${bundled.length} packages, none of them for development`,
);

function packageOf(path: string): string | undefined {
  return /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
}

/** What the dependencies and peers of this package need, however deep. */
function runtimePackages(): ReadonlySet<string> {
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter((name) => !ONLY_FOR_DEPLOYMENT.includes(name));
  const names = new Set([...Object.keys(manifest.dependencies ?? {}), ...peers, ...needed]);
  // A set's iteration also reaches what is added meanwhile.
  for (const name of names) {
    for (const dependency of Object.keys(lock.packages[`node_modules/${name}`]?.dependencies ?? {}))
      names.add(dependency);
  }
  return names;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1024)} KB`;
}
