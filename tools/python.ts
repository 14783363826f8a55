import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where the programs of a package from PyPI are, `python` among them. Makes a virtual environment for it at the first time.
 *
 * @param requirement With its version: `ministack==1.5.33`
 * @throws Error that says what is missing
 */
export function installFromPyPI(requirement: string): string {
  const folder = fileURLToPath(new URL(`../node_modules/.cache/${requirement}`, import.meta.url));
  const programs = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  if (existsSync(join(folder, 'installed'))) return programs;
  console.log(`Installing ${requirement} from PyPI into a virtual environment`);
  rmSync(folder, { recursive: true, force: true });
  const python = join(programs, 'python');
  run('python3', ['-m', 'venv', folder], 'Python 3 with its module venv is needed.');
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement], 'Is PyPI reachable?');
  run(python, ['-c', `open(${JSON.stringify(join(folder, 'installed'))}, 'w').close()`], '');
  return programs;
}

function run(command: string, args: readonly string[], advice: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`\`${command} ${args.join(' ')}\` failed. ${advice}\n${stderr ?? error?.message}`);
}
