/** RFC 9110, section 5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What stands between semicolons, those in quotation marks aside. Every quoted string matches, an open one up to the end. */
const PARTS = /(?:"(?:[^"\\]|\\.)*["\\]?|[^";])+/gs;

/**
 * The one form of a media type, however it is written (RFC 9110, section 8.3.1). Type, names of parameters and a charset
 * are in lower case. There is no white space around semicolons, and no quotation marks where a value needs none. Whether
 * the case of another value means something is up to its parameter.
 */
export function normalMediaType(contentType: string): string {
  const [type = '', ...parameters] = contentType.match(PARTS) ?? [];
  const normal = parameters.map((parameter) => normalParameter(parameter.trim())).filter(Boolean);
  return [type.trim().toLowerCase(), ...normal].join('; ');
}

function normalParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  if (equals <= 0) return parameter;
  const name = parameter.slice(0, equals).toLowerCase();
  const value = unquoted(parameter.slice(equals + 1));
  return `${name}=${name === 'charset' ? value.toLowerCase() : value}`;
}

function unquoted(value: string): string {
  if (!value.startsWith('"') || !value.endsWith('"')) return value;
  const text = value.slice(1, -1).replace(/\\(.)/gs, '$1');
  return TOKEN.test(text) ? text : value;
}
