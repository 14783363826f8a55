import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, it, vi } from 'vitest';

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
  const [endpoint] = await once(createInterface({ input: owner.stdout }), 'line');
  const isAnswering = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  return { owner, isAnswering };
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
