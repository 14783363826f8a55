export const MOST_FUNCTION_LINES = 60;

interface OpenFunction {
  readonly line: number;
  readonly indent: number;
  length: number;
}

const CONTROL = /^(\} )?(if|else|for|while|switch|do|try|catch|finally)\b/;
const METHOD = /^[\w$#[\].]+( [\w$#[\].]+)*(<.*>)?\(.*\)(: .+)? \{$/;

/**
 * Functions with more lines of code of their own than allowed: those of the functions inside them do not count, so that a
 * closure and a class are measured alike. It reads formatted code, where a block ends at the indentation of its head.
 */
export function longFunctions(text: string, isCode: (line: string) => boolean): string[] {
  const lines = text.split('\n');
  const open: OpenFunction[] = [];
  const long: string[] = [];
  for (const [index, line] of lines.entries()) {
    const indent = line.search(/\S|$/);
    const last = open.at(-1);
    if (last?.indent === indent && line.startsWith('}', indent)) {
      open.pop();
      if (last.length > MOST_FUNCTION_LINES) {
        long.push(
          `the function at line ${last.line} has ${last.length} lines of its own: at most ${MOST_FUNCTION_LINES}`,
        );
      }
    } else if (last !== undefined && isCode(line)) last.length++;
    if (beginsFunction(lines, index, indent)) open.push({ line: index + 1, indent, length: 0 });
  }
  return long;
}

function beginsFunction(lines: readonly string[], index: number, indent: number): boolean {
  const text = lines[index]?.trim() ?? '';
  if (!text.endsWith('{') || CONTROL.test(text)) return false;
  if (text.endsWith('=> {') || /\bfunction\b/.test(text) || METHOD.test(text)) return true;
  // The end of parameters over several lines. What they belong to has the same indentation.
  const head = lines.slice(0, index).findLast((line) => line.search(/\S|$/) === indent && line.trim() !== '');
  return /^\}?[^{]*\)/.test(text) && head !== undefined && !CONTROL.test(head.trim());
}
