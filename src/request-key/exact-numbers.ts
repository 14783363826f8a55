/**
 * A number with more than 15 digits, or with an exponent of three. Any other decimal is the shortest text of its double (IEEE
 * 754, binary64). It may also be found in a string.
 */
const LONG_NUMBER = /(?<![\d.])[\d.]{16,}|[eE][+-]?\d{3}/;

/** The strings and the numbers of a JSON text. */
const TOKENS = /"(?:[^"\\]+|\\.)*"?|\d[\d.]*(?:[eE][+-]?\d+)?/gs;

/**
 * Whether no number of a JSON text says more than the double that JSON.parse makes of it (RFC 8259, section 6). If one did,
 * another text, such as the next order number, could be the same double. A number is exact when it is the shortest text of
 * its double: `19.99`, `1.0` and `1e2` are, `0.100000000000000001` and `1e-400` are not.
 */
export function isExactJson(text: string): boolean {
  if (!LONG_NUMBER.test(text)) return true;
  for (const [token] of text.matchAll(TOKENS)) if (!token.startsWith('"') && !isExact(token)) return false;
  return true;
}

/** As JSON.parse, but a number that is not exact becomes a value that no key and no fingerprint can have. */
export function parseExactly(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, exactly as Parameters<typeof JSON.parse>[1]) : JSON.parse(text);
}

function exactly(_name: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && !isExact(source ?? '') ? INEXACT : value;
}

const INEXACT = {
  toJSON(): never {
    throw new TypeError('it contains a number that JSON.parse rounds: send it as a string');
  },
};

function isExact(decimal: string): boolean {
  return significant(decimal) === significant(String(Number(decimal)));
}

/** The sign, the digits and the power of ten of a decimal, without zeros that mean nothing. */
function significant(decimal: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d*)\.?(\d*)(?:[eE](.*))?$/.exec(decimal) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const short = digits.replace(/(?<!0)0+$/, '');
  return short === '' ? '0' : `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}
