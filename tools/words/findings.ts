/** A run of prose with the line on which it begins: a paragraph, a cell of a table, a message. */
export interface Block {
  readonly line: number;
  /** Line breaks are kept, so that a finding can name its own line. */
  readonly text: string;
}

export interface Finding {
  readonly line: number;
  readonly problem: string;
  readonly sentence: string;
}

export const MAX_WORDS = 25;

/** Words that this project does not use, each with what to write. */
const SENT_BACK: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/\bwho(m|so)?ever\b/i, 'name the actor: caller, owner, execution, duplicate, operator'],
  [/\bnobody\b/i, 'name what is absent: no caller, no owner, no execution'],
  [/\bsomebody\b|\bsomeone\b/i, 'name the actor: caller, owner, successor, operator'],
  [/\banybody\b|\banyone\b/i, 'name the actor: any caller, any user'],
  [/\b(he|she|his|hers|him|herself|himself)\b/i, 'name the actor: caller, owner, execution, operator'],
  [/\b(am|is|are|was|were|be|been|being) told\b/i, 'say who does what: gets, knows, sees, is reported'],
  [/(?<!\b(?:am|is|are|was|were|be|been|being) )told (of|from|apart)\b/i, 'say who does what: knows of, distinguishes'],
  [/\bin (\w+ )?(else's )?hands\b/i, 'say who holds it'],
  [
    /\b(is|are|was|were|be|been) over(?=\s*([.,;:)!?]|$|on\b|and\b|when\b|while\b|at\b|by\b))/i,
    'has ended, has expired',
  ],
  [/\bfencing numbers?\b/i, 'fencing token'],
  [/\bprovisional\b/i, 'revision'],
  [/\bshall\b/i, 'must, or should'],
];

/** What a block says too long, or in words that this project does not use. */
export function findingsOf({ line, text }: Block): readonly Finding[] {
  return sentencesOf(text).flatMap(({ sentence, offset }) => {
    const at = line + newlines(text.slice(0, offset));
    const words = wordsOf(sentence);
    const length = words > MAX_WORDS ? [`${words} words, at most ${MAX_WORDS}`] : [];
    const plain = withoutCode(sentence);
    const sentBack = SENT_BACK.flatMap(([pattern, advice]) => {
      const found = pattern.exec(plain)?.[0].trim();
      return found === undefined ? [] : [`'${found}': ${advice}`];
    });
    return [...length, ...sentBack].map((problem) => ({
      line: at,
      problem,
      sentence: sentence.replaceAll(/\s+/g, ' '),
    }));
  });
}

/** In Markdown a line breaks at a sentence, or not at all: a change then shows the sentence that it changes. */
export function brokenLinesOf({ line, text }: Block): readonly Finding[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((sentence, index) => ({ line: line + index, problem: 'the line breaks within a sentence', sentence }))
    .filter(({ sentence }) => !/[.!?:][)\]"'”’*`]*$/.test(sentence.trim()));
}

/** Code counts as one word, and so does a list of code. Numbers and signs count as none. */
export function wordsOf(sentence: string): number {
  const list = sentence.replaceAll(/`[^`]*`(\s*(,|and|or|, and|, or)\s*`[^`]*`)*/g, ' code ');
  return list.split(/\s+/).filter((word) => /\p{L}/u.test(word)).length;
}

/** A full stop ends a sentence where a blank or the end follows it. */
export function sentencesOf(text: string): readonly { readonly sentence: string; readonly offset: number }[] {
  // What is in code ends no sentence.
  const masked = text.replaceAll(/`[^`]*`/g, (code) => 'x'.repeat(code.length));
  const sentences = [];
  let begin = 0;
  for (const { index, 0: end } of masked.matchAll(/(?<!\b(?:e\.g|i\.e|etc|vs))[.!?][)\]"'’”*]*(?=\s|$)|$/g)) {
    const sentence = text.slice(begin, index + end.length);
    const offset = begin + (sentence.length - sentence.trimStart().length);
    if (sentence.trim() !== '') sentences.push({ sentence: sentence.trim(), offset });
    begin = index + end.length;
  }
  return sentences;
}

function withoutCode(sentence: string): string {
  return sentence.replaceAll(/`[^`]*`/g, ' ');
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
