import { longFunctions } from './function-sizes.ts';

export const MOST_CODE_LINES = 250;
export const MOST_LINES = 300;
export const FEWEST_CODE_LINES = 15;

/** Files beyond a limit, and why they stay so. An entry that is not needed is a problem too. */
export const REASONS: Readonly<Record<string, string>> = {
  'src/builtins.ts': 'what every room may ask of Node.js',
  'src/cli/main.ts': 'the file that npm runs: it starts the command line, and nothing imports it',
  'src/cli/report.ts':
    '`explain.ts` and `records.ts` return it, and `run.ts` prints it: in any of them it would close a circle',
  'src/events/eventbridge.ts': 'one event source a file',
  'src/operator/index.ts': 'a public entry: named exports only',
  'src/request-key/data.ts': 'what keys, paths and the engine of JMESPath ask of JSON',
};

const NO_CODE = /^\s*(\/\/.*|\/\*.*|\*|\* .*|\*\/)?$/;

/** What is wrong with the size of files and of their functions: a line for each. */
export function wrongSizes(
  files: readonly { readonly path: string; readonly text: string }[],
  reasons: Readonly<Record<string, string>> = REASONS,
): string[] {
  const wrong = new Map<string, string>();
  for (const { path, text } of files) {
    const problem = problemOf(text.replace(/\n$/, '').split('\n'));
    if (problem !== undefined) wrong.set(path, problem);
  }
  const functions = files.flatMap(({ path, text }) => longFunctions(text, isCode).map((long) => `${path}: ${long}`));
  const unexplained = [...wrong].filter(([path]) => !(path in reasons));
  const needless = Object.keys(reasons).filter((path) => !wrong.has(path));
  return [
    ...functions,
    ...unexplained.map(([path, problem]) => `${path} has ${problem}`),
    ...needless.map((path) => `${path} needs no reason in tools/file-sizes.ts: remove it`),
  ];
}

const isCode = (line: string) => !NO_CODE.test(line);

function problemOf(lines: readonly string[]): string | undefined {
  const code = lines.filter(isCode).length;
  if (code > MOST_CODE_LINES) return `${code} lines of code: at most ${MOST_CODE_LINES}`;
  if (lines.length > MOST_LINES) return `${lines.length} lines: at most ${MOST_LINES}`;
  if (code < FEWEST_CODE_LINES)
    return `${code} lines of code: fewer than ${FEWEST_CODE_LINES} need a reason in tools/file-sizes.ts`;
  return undefined;
}
