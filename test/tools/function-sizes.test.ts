import { expect, it } from 'vitest';
import { longFunctions, MOST_FUNCTION_LINES } from '../../tools/function-sizes.ts';

const isCode = (line: string) => line.trim() !== '';
const body = (lines: number) => '  a();\n'.repeat(lines);
const indented = (text: string) => text.replace(/^(?=.)/gm, '  ');

it.each([
  'export function f(a: A): B {\n',
  'export function f({\n  a,\n  b,\n}: Options): B {\n',
  'async function f(\n  a: A,\n): Promise<B> {\n',
  'const f = async (a: A) => {\n',
  'const f = ({\n  a,\n}: Options): B => {\n',
  'export const f = <T>(a: A): B => {\n',
])('refuses a long function with the head %j', (head) => {
  const line = head.split('\n').length - 1;
  expect(longFunctions(`${head}${body(MOST_FUNCTION_LINES)}}\n`, isCode)).toEqual([]);
  expect(longFunctions(`${head}${body(MOST_FUNCTION_LINES + 1)}}\n`, isCode)).toEqual([
    `the function at line ${line} has 61 lines of its own: at most 60`,
  ]);
});

it.each([
  'm(a: A): B {\n',
  'async m() {\n',
  'async #m<T>(a: A): Promise<B> {\n',
  'get a(): A {\n',
  'constructor(\n  a: A,\n) {\n',
  '[Symbol.iterator]() {\n',
])('refuses a long method with the head %j', (head) => {
  const file = (lines: number) => `class A {\n${indented(`${head}${body(lines)}}\n`)}\n`;
  expect(longFunctions(file(MOST_FUNCTION_LINES), isCode)).toEqual([]);
  expect(longFunctions(file(MOST_FUNCTION_LINES + 1), isCode)).toHaveLength(1);
});

it.each(['if (a) {', 'for (const a of b) {', 'switch (a) {', 'try {', '} else {', 'if (\n  a\n) {', 'const a = {'])(
  'counts the lines of a block with the head %j to the function around it',
  (head) => {
    const block = indented(`${head}\n${body(40)}}\n`);
    expect(longFunctions(`function f() {\n${block}${body(10)}}\n`, isCode)).toEqual([]);
    expect(longFunctions(`function f() {\n${block}${body(30)}}\n`, isCode)).toHaveLength(1);
  },
);

it('counts the lines of a function inside to that function alone', () => {
  const inner = indented(`function g() {\n${body(40)}}\n`);
  expect(longFunctions(`function f() {\n${inner}${inner}${body(40)}}\n`, isCode)).toEqual([]);
  expect(longFunctions(`function f() {\n${indented(`const g = () => {\n${body(61)}};\n`)}}\n`, isCode)).toHaveLength(1);
});
