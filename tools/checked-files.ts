import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** The TypeScript files that Git has or would add. */
export function sourceFiles(folder = '.'): SourceFile[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', `${folder}/**.ts`];
  const paths = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return paths
    .filter((path) => path !== '' && existsSync(`${root}${path}`))
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }));
}

/** Prints what is wrong. Any line of it makes the process fail. */
export function reportProblems(checked: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(problem);
  console.log(`${checked}, problems: ${problems.length}`);
  if (problems.length > 0) process.exitCode = 1;
}
