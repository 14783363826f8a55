import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { brokenLinesOf, findingsOf, sentencesOf, wordsOf } from '../../tools/words/findings.ts';
import { blocksOfMarkdown } from '../../tools/words/markdown.ts';
import { blocksOfSource } from '../../tools/words/source.ts';
import { ROOT } from '../support/pages.ts';

const words = (count: number) => Array.from({ length: count }, () => 'word').join(' ');
const problems = (text: string) => findingsOf({ line: 1, text }).map(({ problem }) => problem);

describe('a sentence', () => {
  it('may have 25 words, and no more', () => {
    expect(problems(`${words(25)}.`)).toEqual([]);
    expect(problems(`${words(26)}.`)).toEqual(['26 words, at most 25']);
  });

  it('counts code, and a list of code, as one word, and numbers as none', () => {
    expect(wordsOf('Set `a`, `b` and `c` to 25 of `long code here`.')).toBe(5);
  });

  it('ends at a full stop, not within code, a number or an abbreviation', () => {
    const text = 'Call `a. b` with 1.5, e.g. here. (Then stop.) Is it so? Yes';
    expect(sentencesOf(text).map(({ sentence }) => sentence)).toEqual([
      'Call `a. b` with 1.5, e.g. here.',
      '(Then stop.)',
      'Is it so?',
      'Yes',
    ]);
  });

  it('is found on its own line', () => {
    expect(findingsOf({ line: 7, text: `Short.\nAlso short.\n${words(30)}` })).toMatchObject([{ line: 9 }]);
  });
});

describe('a word', () => {
  it.each([
    'Whoever comes late loses.',
    'Nobody holds it.',
    'It is somebody else.',
    'Anybody may call.',
    'He waits.',
    'The caller is told.',
    'It can be told from another.',
    'It is in other hands.',
    'The lease is over.',
    'A fencing number grows.',
    'A provisional outcome.',
    'It shall end.',
  ])('is sent back in: %s', (text) => expect(problems(text)).toHaveLength(1));

  it.each(['The value is over 255 characters.', 'Take over the record.', 'Call `nobody()`.', 'The theme is here.'])(
    'is fine in: %s',
    (text) => expect(problems(text)).toEqual([]),
  );
});

describe('Markdown', () => {
  it('is read by paragraph, heading, item and cell, without code blocks and comments', () => {
    const source = [
      '# A heading',
      'A [link](https://example.com/x. y) of',
      'two lines.',
      '<!-- hidden -->',
      '- an item',
      '```sh',
      'code.',
      '```',
      '| a cell | another \\| cell |',
      '|---|---|',
    ].join('\n');
    expect(blocksOfMarkdown(source)).toEqual([
      { line: 1, text: 'A heading' },
      { line: 2, text: 'A link of\ntwo lines.' },
      { line: 5, text: 'an item' },
      { line: 9, text: ' a cell ' },
      { line: 9, text: ' another    cell ' },
    ]);
  });
});

describe('a line of Markdown', () => {
  it('breaks at a sentence, or not at all', () => {
    expect(brokenLinesOf({ line: 4, text: 'One.\nTwo: (three.)\nfour' })).toEqual([]);
    expect(brokenLinesOf({ line: 4, text: 'One.\nTwo and\nthree.' })).toMatchObject([{ line: 5, sentence: 'Two and' }]);
  });
});

describe('TypeScript', () => {
  const textsOf = (source: string) =>
    blocksOfSource(source).map(({ line, text }) => [line, text.replaceAll(/\s+/g, ' ').trim()]);

  it('is read by comment', () => {
    const source = [
      '/**',
      ' * One thing.',
      ' * @throws another',
      ' *   of them',
      ' */',
      '// Two',
      '// lines.',
      'let x = 1;',
    ];
    expect(textsOf(source.join('\n'))).toEqual([
      [2, 'One thing.'],
      [3, 'another of them'],
      [6, 'Two lines.'],
    ]);
  });

  it('is read by message: strings that are added up are one, a template has one word for what is filled in', () => {
    const source = [
      "const name = 'not a message';",
      "throw new Error('this is a message of ' +",
      "  'two lines');",
      `throw new Error(\`the value \${a ? \`x\` : "}"} is not allowed here\`);`,
    ].join('\n');
    expect(textsOf(source)).toEqual([
      [2, 'this is a message of two lines'],
      [4, 'the value `x` is not allowed here'],
    ]);
  });

  it('is not misled by a regular expression or a division', () => {
    const source = [
      'const quote = /[\'"`/]/g;',
      'const half = a / b; // half of it',
      "const c = 'it is a message here';",
    ].join('\n');
    expect(textsOf(source)).toEqual([
      [2, 'half of it'],
      [3, 'it is a message here'],
    ]);
  });
});

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'words-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'tools/check-words.ts'), ...args], { encoding: 'utf8' });

  it('prints file and line of each finding, and fails', () => {
    const file = join(folder, 'page.md');
    writeFileSync(file, 'Fine.\n\nNobody knows.\n');
    const { status, stdout } = run(file);
    expect(stdout).toContain(`${file}:3: 'Nobody': `);
    expect(stdout).toContain('1 findings in 1 files');
    expect(status).toBe(1);
  });

  it('passes where there is nothing to find', () => {
    const file = join(folder, 'fine.md');
    writeFileSync(file, 'Fine.\n');
    expect(run(file).status).toBe(0);
  });

  it('has a help, and refuses what it does not know', () => {
    expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('check:words') });
    expect(run('--no-such-option').status).toBe(2);
    expect(run('no/such/file.md').status).toBe(2);
  });
});
