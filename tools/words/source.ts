import type { Block } from './findings.ts';
import { blocksOfMarkdown } from './markdown.ts';

interface Piece {
  readonly kind: 'line comment' | 'block comment' | 'string' | 'code';
  readonly line: number;
  readonly text: string;
}

/** Stands for a tag of a doc comment: no text has it. */
const TAG = '\u0000';

/** A string of fewer words is a name, not a message. */
const MESSAGE_WORDS = 4;

/** The prose of TypeScript (or JSON): comments, and strings that are messages. */
export function blocksOfSource(source: string): readonly Block[] {
  return joined(piecesOf(source)).flatMap(({ kind, line, text }) => {
    if (kind === 'string') return blocksOfString(text, line);
    return kind === 'code' ? [] : blocksOfComment(text, line);
  });
}

function blocksOfComment(text: string, line: number): readonly Block[] {
  const prose = text
    .replaceAll(/^[ \t]*\*(?!\/)[ \t]?/gm, '')
    .replaceAll(/^\s*(biome-ignore|Stryker (disable|restore))[^:]*:?/gm, '')
    // A tag begins a paragraph of its own. It stays on its line.
    .replaceAll(/(?<![\w`{])@(\w+)(?![\w/-])/g, TAG);
  return blocksOfMarkdown(prose, line).flatMap((block) => splitAt(TAG, block));
}

function splitAt(mark: string, { line, text }: Block): readonly Block[] {
  let at = line;
  return text.split(mark).flatMap((part) => {
    const block = { line: at, text: part };
    at += part.split('\n').length - 1;
    return part.trim() === '' ? [] : [block];
  });
}

/** An indented line of a help text is a block of its own, and so is each of its columns. */
function blocksOfString(text: string, line: number): readonly Block[] {
  if (text.split(/\s+/).filter((word) => /\p{L}/u.test(word)).length < MESSAGE_WORDS) return [];
  const blocks: Block[] = [];
  let open: { line: number; lines: string[] } | undefined;
  text.split('\n').forEach((row, index) => {
    const columns = row.split(/ {2,}/).filter((column) => column !== '');
    if (columns.length === 0) open = undefined;
    else if (columns.length > 1 || row.startsWith('  ')) {
      open = undefined;
      blocks.push(...columns.map((column) => ({ line: line + index, text: column })));
    } else if (open === undefined) {
      open = { line: line + index, lines: [row] };
      blocks.push({ line: open.line, text: row });
    } else {
      open.lines.push(row);
      blocks[blocks.length - 1] = { line: open.line, text: open.lines.join('\n') };
    }
  });
  return blocks;
}

/** Comments on lines that follow each other are one text, and so are strings that are added up. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const result: Piece[] = [];
  let between = '';
  for (const piece of pieces) {
    const last = result.at(-1);
    if (piece.kind === 'code') {
      between += piece.text;
    } else if (last !== undefined && belongs(last, piece, between)) {
      const gap = '\n'.repeat(between.split('\n').length - 1);
      result[result.length - 1] = { ...last, text: `${last.text}${gap}${piece.text}` };
      between = '';
    } else {
      result.push(piece);
      between = '';
    }
  }
  return result;
}

function belongs(last: Piece, next: Piece, between: string): boolean {
  if (last.kind !== next.kind) return false;
  if (next.kind === 'line comment') return /^\n[ \t]*$/.test(between);
  return next.kind === 'string' && /^\s*\+\s*$/.test(between);
}

const REGEX_MAY_FOLLOW = /(^|[(,=:[!&|?{};+<>~%^*-]|\b(return|typeof|case|of|in|await|throw|new))\s*$/;
const TOKENS = {
  'line comment': /\/\/(.*)/y,
  'block comment': /\/\*([\s\S]*?)\*\//y,
  string: /'((?:[^'\\\n]|\\[\s\S])*)'|"((?:[^"\\\n]|\\[\s\S])*)"/y,
  regex: /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
} as const;

function piecesOf(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let code = '';
  let index = 0;
  let line = 1;
  const push = (kind: Piece['kind'], text: string, length: number) => {
    if (code !== '') pieces.push({ kind: 'code', line, text: code });
    code = '';
    pieces.push({ kind, line, text });
    line += source.slice(index, index + length).split('\n').length - 1;
    index += length;
  };
  const match = (name: keyof typeof TOKENS) => {
    TOKENS[name].lastIndex = index;
    return TOKENS[name].exec(source);
  };
  while (index < source.length) {
    const comment = match('line comment');
    const block = match('block comment');
    const string = match('string');
    const regex = REGEX_MAY_FOLLOW.test(code) ? match('regex') : null;
    if (comment !== null) push('line comment', comment[1] ?? '', comment[0].length);
    else if (block !== null) push('block comment', block[1] ?? '', block[0].length);
    else if (string !== null) push('string', unescaped(string[1] ?? string[2] ?? ''), string[0].length);
    else if (source[index] === '`') {
      const length = templateLength(source, index);
      push('string', textOfTemplate(source.slice(index + 1, index + length - 1)), length);
    } else {
      const text = regex?.[0] ?? source[index] ?? '';
      code += regex === null ? text : '/x/';
      line += text === '\n' ? 1 : 0;
      index += text.length;
    }
  }
  return pieces;
}

function unescaped(text: string): string {
  return text.replaceAll('\\n', ' ').replaceAll(/\\(.)/g, '$1');
}

/** What is filled in counts as one word of code. */
function textOfTemplate(text: string): string {
  let result = '';
  for (let index = 0; index < text.length; ) {
    const [skipped, shown] = text.startsWith('${', index)
      ? [braceLength(text, index + 1) + 1, '`x`']
      : text[index] === '\\'
        ? [2, text[index + 1] === '`' ? '`' : ' ']
        : [1, text[index] ?? ''];
    result += shown;
    index += skipped;
  }
  return result;
}

function templateLength(source: string, begin: number): number {
  let index = begin + 1;
  while (index < source.length && source[index] !== '`') {
    if (source[index] === '\\') index += 2;
    else if (source.startsWith('${', index)) index += 1 + braceLength(source, index + 1);
    else index += 1;
  }
  return index + 1 - begin;
}

/** From an opening brace to behind its closing one. Strings within may contain braces. */
function braceLength(source: string, begin: number): number {
  let depth = 0;
  let index = begin;
  do {
    const character = source[index];
    if (character === '`') index += templateLength(source, index);
    else if (character === "'" || character === '"') {
      TOKENS.string.lastIndex = index;
      index += TOKENS.string.exec(source)?.[0].length ?? 1;
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      index += 1;
    }
  } while (depth > 0 && index < source.length);
  return index - begin;
}
