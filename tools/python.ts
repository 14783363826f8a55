import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Installation {
  readonly folder: string;
  /** Where the programs of its packages are, `python` among them. */
  readonly programs: string;
  readonly isComplete: boolean;
}

/** The virtual environment of a package from PyPI, in this project's own cache. @param requirement as in `installFromPyPI` */
export function installationOf(requirement: string): Installation {
  const folder = fileURLToPath(new URL(`../node_modules/.cache/${requirement}`, import.meta.url));
  const programs = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  return { folder, programs, isComplete: existsSync(join(folder, 'installed')) };
}

/**
 * Makes a virtual environment for a package from PyPI at the first time.
 *
 * @param requirement With its version: `ministack==1.5.33`
 * @param others What the environment has besides, with their versions
 * @returns where its programs are
 * @throws Error that says what is missing
 */
export function installFromPyPI(requirement: string, ...others: readonly string[]): string {
  const { folder, programs, isComplete } = installationOf(requirement);
  if (isComplete) return programs;
  const packages = [requirement, ...others];
  console.log(`Installing ${packages.join(' and ')} from PyPI into node_modules/.cache`);
  rmSync(folder, { recursive: true, force: true });
  run('python3', ['-m', 'venv', folder], 'Python 3 with its module venv is needed.');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(join(programs, 'python'), [...pip, ...packages], 'Is PyPI reachable?');
  writeFileSync(join(folder, 'installed'), '');
  return programs;
}

function run(command: string, args: readonly string[], advice: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim();
  throw new Error(`\`${command} ${args.join(' ')}\` failed. ${advice}\n${why}`);
}
