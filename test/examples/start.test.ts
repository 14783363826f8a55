import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { page, ROOT } from '../support/pages.ts';

it('the tests of the first pages pass in the runner of Node, as the page shows', () => {
  const args = ['--import', './tools/sources.ts', '--test', '--test-reporter=tap', 'examples/start/*.test.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('# pass 5\n# fail 0');
  const [, shown = ''] = /\$ node --test payments\.test\.ts\n([\s\S]*?)```/.exec(page('docs/start.md')) ?? [];
  const names = [...shown.matchAll(/✔ (.+)/g)].map(([, name = '']) => name);
  expect(names).toHaveLength(2);
  for (const name of names) expect(stdout).toMatch(new RegExp(`^ok \\d+ - ${name}$`, 'm'));
});
