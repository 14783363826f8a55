import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ROOT } from '../support/pages.ts';

it('the tests of the first pages pass in the runner of Node', () => {
  const args = ['--import', './tools/sources.ts', '--test', '--test-reporter=tap', 'examples/start/*.test.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('# pass 5\n# fail 0');
});
