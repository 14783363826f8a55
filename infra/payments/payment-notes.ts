import type { PaymentNotes } from './payment.ts';
import { isMembers, type Members, type Rule } from './request-body.ts';

/** Stripe's limits. They keep a payment far below DynamoDB's 400 KB. */
const MAX_ENTRIES = 50;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,39}$/;
const MAX_LENGTH = 500;

/** What holds for the members that describe a payment. */
export const NOTES_RULES = {
  description: {
    holds: (value) => value === undefined || isText(value),
    detail: `description must be a string of ${MAX_LENGTH} characters at most.`,
  },
  metadata: {
    holds: (value) => value === undefined || isMetadata(value),
    detail:
      `metadata must be an object of ${MAX_ENTRIES} members at most, whose names are a letter and up to 39 letters, ` +
      `digits, "_", "." or "-", and whose values are strings of ${MAX_LENGTH} characters at most.`,
  },
} satisfies Record<keyof PaymentNotes, Rule>;

/** Of members for which the rules hold. */
export function readNotes({ description, metadata }: Members): PaymentNotes {
  return {
    ...(description !== undefined && { description: description as string }),
    metadata: (metadata ?? {}) as PaymentNotes['metadata'],
  };
}

function isMetadata(value: unknown): boolean {
  if (!isMembers(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= MAX_ENTRIES && entries.every(([name, text]) => NAME.test(name) && isText(text));
}

/** Counted in characters, as JSON Schema does. A lone surrogate is no text: DynamoDB does not take it. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed() && [...value].length <= MAX_LENGTH;
}
