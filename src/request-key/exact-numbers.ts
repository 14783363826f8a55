const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
/** With this bit a letter of ASCII is a lower-case one. */
const LOWER_CASE = 0x20;
const E = 0x65;

/** Two decimals of so many digits are never one double (IEEE 754, binary64), unless their exponent is far from 0. */
const EXACT_LENGTH = 15;
/** Two digits, or a sign and one. */
const SMALL_EXPONENT_LENGTH = 2;

/**
 * The numbers of a JSON text that say more than the double that JSON.parse makes of them (RFC 8259, section 6), as these doubles.
 * Another text, such as the next order number, may be the same double. A number is exact when it is the shortest text of its
 * double: `19.99`, `1.0` and `1e2` are, `0.100000000000000001` and `1e-400` are not.
 *
 * Reads the text once, and makes nothing of a number of 15 digits or fewer. Expects a text that JSON.parse takes.
 */
export function inexactNumbers(text: string): ReadonlySet<number> {
  const inexact = new Set<number>();
  let index = 0;
  while (index < text.length) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index + 1);
    } else if (isDigit(code)) {
      const end = endOfDecimal(text, index);
      const endOfAll = hasExponent(text, end) ? endOfExponent(text, end + 1) : end;
      const isShort = end - index <= EXACT_LENGTH && endOfAll - end <= 1 + SMALL_EXPONENT_LENGTH;
      if (!isShort && !isExact(text.slice(index, endOfAll))) inexact.add(doubleOf(text, index, endOfAll));
      index = endOfAll;
    } else {
      index++;
    }
  }
  return inexact;
}

function doubleOf(text: string, start: number, end: number): number {
  const magnitude = Number(text.slice(start, end));
  return text.charCodeAt(start - 1) === MINUS ? -magnitude : magnitude;
}

/** The index behind the closing quotation mark. */
function endOfString(text: string, start: number): number {
  let index = start;
  for (;;) {
    const code = text.charCodeAt(index);
    // NaN behind the end of a text that is no JSON.
    if (code === QUOTE || Number.isNaN(code)) return index + 1;
    index += code === BACKSLASH ? 2 : 1;
  }
}

function endOfDecimal(text: string, start: number): number {
  let index = start;
  for (;;) {
    const code = text.charCodeAt(index);
    if (!isDigit(code) && code !== DOT) return index;
    index++;
  }
}

function hasExponent(text: string, index: number): boolean {
  return (text.charCodeAt(index) | LOWER_CASE) === E;
}

function endOfExponent(text: string, start: number): number {
  let index = start;
  for (;;) {
    const code = text.charCodeAt(index);
    if (!isDigit(code) && code !== PLUS && code !== MINUS) return index;
    index++;
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Whether this number, without its sign, is the shortest text of its double, written in one way or another. */
function isExact(number: string): boolean {
  const shortest = String(Number(number));
  return shortest === number || normal(shortest) === normal(number);
}

/** Digits without zeros around them, and the power of ten behind them: the same for `100`, `1.00e2` and `1e+2`. */
function normal(number: string): string {
  const [decimal = '', exponent = '0'] = number.toLowerCase().split('e');
  const [whole = '', fraction = ''] = decimal.split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  let length = digits.length;
  // Not by /0+$/: its time is the square of the zeros in the middle of a number.
  while (length > 0 && digits.charCodeAt(length - 1) === ZERO) length--;
  if (length === 0) return '0';
  return `${digits.slice(0, length)}e${Number(exponent) - fraction.length + digits.length - length}`;
}
