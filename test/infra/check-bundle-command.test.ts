import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkBundleCommand } from '../../infra/stack/check-bundle-command.ts';

it.each(['plain', 'with a space', 'with $HOME', "with $& $' $1", "it's `here`", 'with "quotes"'])(
  'finds the script and the bundle in a folder that is named %s',
  (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'check-bundle-'));
    try {
      const checkout = join(folder, name);
      const output = join(checkout, 'bundle of it');
      mkdirSync(join(checkout, 'infra', 'stack'), { recursive: true });
      const script = 'console.log(JSON.stringify(process.argv.slice(2)))';
      writeFileSync(join(checkout, 'infra', 'stack', 'check-bundle.ts'), script);
      const command = checkBundleCommand(checkout, output, 'Function', ['@scope/one', 'two']);
      // As aws-lambda-nodejs runs it.
      const printed = execFileSync('bash', ['-c', command], { encoding: 'utf8' });
      expect(JSON.parse(printed)).toEqual([output, 'Function', '@scope/one', 'two']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
