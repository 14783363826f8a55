import { expect, it } from 'vitest';
import { FEWEST_CODE_LINES, MOST_CODE_LINES, MOST_LINES, wrongSizes } from '../../tools/file-sizes.ts';

const file = (code: number, comments = 0) => ({
  path: 'src/a.ts',
  text: `${'// why\n\n'.repeat(comments / 2)}${'a();\n'.repeat(code)}`,
});

it('refuses a file with too many lines of code, and one with too many lines', () => {
  expect(wrongSizes([file(MOST_CODE_LINES)], {})).toEqual([]);
  expect(wrongSizes([file(MOST_CODE_LINES + 1)], {})).toEqual([
    expect.stringContaining('src/a.ts has 251 lines of code'),
  ]);
  expect(wrongSizes([file(200, 100)], {})).toEqual([]);
  expect(wrongSizes([file(200, 102)], {})).toEqual([expect.stringContaining(`at most ${MOST_LINES}`)]);
});

it('refuses a file with few lines of code, whatever its comments, unless a reason is given', () => {
  const small = file(FEWEST_CODE_LINES - 1, 100);
  expect(wrongSizes([file(FEWEST_CODE_LINES)], {})).toEqual([]);
  expect(wrongSizes([small], {})).toEqual([expect.stringContaining('src/a.ts has 14 lines of code')]);
  expect(wrongSizes([small], { 'src/a.ts': 'the file that npm runs' })).toEqual([]);
});

it('refuses a reason that is not needed', () => {
  const reasons = { 'src/a.ts': 'it was small', 'src/gone.ts': 'it was there' };
  expect(wrongSizes([file(20)], reasons)).toEqual([
    expect.stringContaining('src/a.ts needs no reason'),
    expect.stringContaining('src/gone.ts needs no reason'),
  ]);
});

it('counts the lines of a block comment as comments', () => {
  const text = `/**\n * Why.\n */\n/* here */\n${'a();\n'.repeat(14)}`;
  expect(wrongSizes([{ path: 'src/a.ts', text }], {})).toEqual([expect.stringContaining('14 lines of code')]);
});
