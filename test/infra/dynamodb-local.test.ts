import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startOwnDynamoDBLocal } from '../../tools/dynamodb-local.ts';

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

  it('warns where Java has no compiler, because then it listens on every interface', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const started = await onlyWith({ java: '[ "$1" = --list-modules ] && echo java.base@17.0.1 && exit' });
    await expect(startOwnDynamoDBLocal({ port: 4567 })).rejects.toThrow('ended at its start');
    expect(await started()).toContain('-jar');
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/every interface.*a JDK.*Docker.*DYNAMODB_ENDPOINT/));
  });

  it('says what to install where there is neither', async () => {
    await onlyWith({ java: '[ "$1" = --list-modules ] && echo java.base@11.0.1 && exit' });
    await expect(startOwnDynamoDBLocal()).rejects.toThrow('needs Java 17 or later, or a running Docker; found Java 11');
  });
});
