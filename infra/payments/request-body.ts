import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** A parsed body, or what is wrong with it. `field` is the offending member, `body` when there is no JSON object. */
export type Parsed<T> =
  | { readonly valid: true; readonly value: T }
  | { readonly valid: false; readonly field: string; readonly detail: string };

export type Members = Readonly<Record<string, unknown>>;

/** What must hold for a member, and how to say so. */
export interface Rule {
  holds(value: unknown): boolean;
  readonly detail: string;
}

/** The members of a body that is a JSON object. `whenEmpty` stands for a body that is absent. */
export function readMembers({ body, isBase64Encoded }: APIGatewayProxyEventV2, whenEmpty = ''): Parsed<Members> {
  const text = isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString() : (body ?? '');
  const value = parseJson(text === '' ? whenEmpty : text);
  return isMembers(value)
    ? { valid: true, value }
    : { valid: false, field: 'body', detail: 'The body must be a JSON object.' };
}

/** The first rule that does not hold. */
export function brokenRule(members: Members, rules: Readonly<Record<string, Rule>>) {
  for (const [field, { holds, detail }] of Object.entries(rules)) {
    if (!holds(members[field])) return { valid: false, field, detail } as const;
  }
  return undefined;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
