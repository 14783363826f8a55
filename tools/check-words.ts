import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { brokenLinesOf, type Finding, findingsOf, MAX_WORDS } from './words/findings.ts';
import { blocksOfMarkdown } from './words/markdown.ts';
import { blocksOfSource } from './words/source.ts';

/** What is held to plain words. */
const HELD = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs', 'infra', 'src'];

const HELP = `npm run check:words -- [PATH …]

Finds sentences of more than ${MAX_WORDS} words, and words that this project does not use.
It reads Markdown, and the comments and messages of TypeScript. Each finding is printed as file:line.
In Markdown it also finds lines that break within a sentence.
Without a PATH it reads what is held: ${HELD.join(', ')}.

  --help

Exit codes: 0 no finding; 1 findings; 2 wrong usage.
`;

const root = fileURLToPath(new URL('..', import.meta.url));

process.exitCode = main();

function main(): number {
  let given: { values: { help?: boolean }; positionals: string[] };
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const;
    given = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
  const { values, positionals } = given;
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const paths = positionals.length > 0 ? positionals : HELD;
  const absent = paths.find((path) => !existsSync(path.startsWith('/') ? path : `${root}${path}`));
  if (absent !== undefined) return wrongUsage(`there is no ${absent}`);
  return report(paths.flatMap(filesOf));
}

function report(files: readonly string[]): number {
  let findings = 0;
  for (const file of files) {
    for (const { line, problem, sentence } of findingsIn(file)) {
      findings += 1;
      console.log(`${file}:${line}: ${problem}\n    ${sentence}`);
    }
  }
  console.log(`${findings} findings in ${files.length} files`);
  return findings === 0 ? 0 : 1;
}

function findingsIn(file: string): readonly Finding[] {
  const text = readFileSync(file.startsWith('/') ? file : `${root}${file}`, 'utf8');
  if (!file.endsWith('.md')) return blocksOfSource(text).flatMap(findingsOf);
  const blocks = blocksOfMarkdown(text);
  return [...blocks.flatMap(findingsOf), ...blocks.flatMap(brokenLinesOf)];
}

function filesOf(path: string): readonly string[] {
  const absolute = path.startsWith('/') ? path : `${root}${path}`;
  if (!statSync(absolute).isDirectory()) return [path];
  return globSync('**/*.{md,ts,json}', { cwd: absolute, exclude: ['**/node_modules/**', 'generated/**', 'dist/**'] })
    .sort()
    .map((name) => `${path.replace(/\/$/, '')}/${name}`);
}

function wrongUsage(problem: string): number {
  process.stderr.write(`${problem}\n\n${HELP}`);
  return 2;
}
