import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalMediaType } from '../../src/http/media-type.ts';

describe('a media type', () => {
  it.each([
    // The examples of RFC 9110, section 8.3.1.
    ['text/html;charset=utf-8', 'text/html; charset=utf-8'],
    ['Text/HTML;Charset="utf-8"', 'text/html; charset=utf-8'],
    ['text/html; charset="utf-8"', 'text/html; charset=utf-8'],
    ['text/html;charset=UTF-8', 'text/html; charset=utf-8'],
    [' text/html \t; \tcharset=utf-8 ', 'text/html; charset=utf-8'],
    ['text/html; charset="UTF\\-8"', 'text/html; charset=utf-8'],
    ['text/html;', 'text/html'],
    ['text/html;; ;charset=utf-8;', 'text/html; charset=utf-8'],
    ['multipart/form-data; Boundary=AbC', 'multipart/form-data; boundary=AbC'],
    ['text/html; a="x;y', 'text/html; a="x;y'],
    ['text/html; a="x\\', 'text/html; a="x\\'],
    ['', ''],
  ])('%j has one form: %j', (contentType, normal) => {
    expect(normalMediaType(contentType)).toBe(normal);
  });

  it.each([
    ['another type', 'text/html', 'text/plain'],
    ['another charset', 'text/html; charset=utf-8', 'text/html; charset=latin1'],
    ['another parameter', 'text/html; a=1', 'text/html; b=1'],
    ['one parameter more', 'text/html; a=1', 'text/html; a=1; b=2'],
    ['the case of a value', 'multipart/form-data; boundary=a', 'multipart/form-data; boundary=A'],
    ['white space in a value', 'text/html; a="x y"', 'text/html; a="x  y"'],
    ['a semicolon in a value', 'text/html; a="x;b=1"', 'text/html; a=x; b=1'],
    ['a quotation mark in a value', String.raw`text/html; a="x\";b=1"`, 'text/html; a="x"; b=1'],
    ['a backslash at the end of a value', String.raw`text/html; a="x\\";b="1"`, String.raw`text/html; a="x\";b=1"`],
    ['a value of quotation marks alone', 'text/html; a=""', 'text/html; a'],
    ['a value without a name', 'text/html; a==1', 'text/html; a=1'],
    ['quotation marks around no value', 'text/html; ="x"', 'text/html; =x'],
    ['what stands before quotation marks', 'text/html; a=x"y"', 'text/html; a=y'],
    ['what stands behind quotation marks', 'text/html; a="y"x', 'text/html; a=y'],
    ['a quotation mark that closes nothing', 'text/html; a=xy"', 'text/html; a=y'],
    ['an open quotation mark', 'text/html; a="xy', 'text/html; a=x'],
    ['white space around an equals sign', 'text/html; charset =utf-8', 'text/html; charset=utf-8'],
  ])('minds %s', (_, one, other) => {
    expect(normalMediaType(one)).not.toBe(normalMediaType(other));
  });

  it('has one form, and no other media type has it, however both are written', () => {
    const name = fc.constantFrom('charset', 'boundary', 'q');
    const value = fc.string({ unit: fc.constantFrom('a', 'B', ' ', ';', '=', '"', '\\', '\t'), maxLength: 4 });
    const mediaType = fc.array(fc.tuple(name, value), { maxLength: 3 });
    const style = fc.record({ before: space, after: space, loud: fc.boolean(), quoted: fc.boolean() });
    fc.assert(
      fc.property(mediaType, mediaType, style, style, (one, other, oneStyle, otherStyle) => {
        const isSame = JSON.stringify(meaning(one)) === JSON.stringify(meaning(other));
        expect(normalMediaType(written(one, oneStyle))).toBe(normalMediaType(written(one, otherStyle)));
        expect(normalMediaType(written(one, oneStyle)) === normalMediaType(written(other, otherStyle))).toBe(isSame);
      }),
      { numRuns: 500, seed: 8 },
    );
  });

  it.each(['"', '\\', '"\\', '\\"', ';', ' ', 'a="'])('of a hundred thousand times %j ends at once', (text) => {
    const started = process.cpuUsage().user;
    normalMediaType(text.repeat(100_000));
    expect(process.cpuUsage(undefined).user - started).toBeLessThan(2_000_000);
  });
});

type Parameters = [name: string, value: string][];

const space = fc.constantFrom('', ' ', ' \t ');

function meaning(parameters: Parameters): Parameters {
  return parameters.map(([name, value]) => [name, name === 'charset' ? value.toLowerCase() : value]);
}

function written(
  parameters: Parameters,
  { before, after, loud, quoted }: { before: string; after: string; loud: boolean; quoted: boolean },
): string {
  const inCase = (text: string) => (loud ? text.toUpperCase() : text);
  const parts = parameters.map(([name, value]) => {
    const needsQuotes = quoted || !/^[a-z]+$/i.test(value);
    const text = name === 'charset' ? inCase(value) : value;
    return `${inCase(name)}=${needsQuotes ? `"${text.replace(/["\\]/g, '\\$&')}"` : text}`;
  });
  return [inCase('text/plain'), ...parts].join(`${before};${after}`);
}
