import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { PaymentNotes } from './payment.ts';
import { NOTES_RULES, readNotes } from './payment-notes.ts';
import { brokenRule, type Parsed, type Rule, readMembers } from './request-body.ts';

/** What `POST /payments` and `PUT /payments/{id}` ask for. */
export interface PaymentRequest extends PaymentNotes {
  /** In the currency's minor unit: 1999 is EUR 19.99. */
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  /** The token that stands for the card. */
  readonly source: string;
  /** Whether the money moves now, or is reserved only. `undefined` when the body does not say. */
  readonly capture: boolean | undefined;
}

/** Eight digits, as payment processors have it: far above a sensible payment, far below 2^53. */
export const MAX_AMOUNT = 99_999_999;

export const AMOUNT_RULE: Rule = {
  holds: (value) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_AMOUNT,
  detail: `amount must be a whole number of the currency's minor unit (cents) from 1 to ${MAX_AMOUNT}.`,
};

const RULES = {
  amount: AMOUNT_RULE,
  currency: {
    holds: (value) => typeof value === 'string' && /^[A-Z]{3}$/.test(value),
    detail: 'currency must be an ISO 4217 code: three upper-case letters, such as "EUR".',
  },
  source: {
    holds: (value) => typeof value === 'string' && /^tok_[A-Za-z0-9_]{1,251}$/.test(value),
    detail: 'source must be a card token: "tok_" and letters, digits or underscores, 255 characters at most.',
  },
  capture: {
    holds: (value) => value === undefined || typeof value === 'boolean',
    detail: 'capture must be true (charge now) or false (authorize only).',
  },
  ...NOTES_RULES,
} satisfies Record<keyof PaymentRequest, Rule>;

/** The body of `POST /payments` and `PUT /payments/{id}`. Members that are not known are ignored. */
export function parsePaymentRequest(event: APIGatewayProxyEventV2): Parsed<PaymentRequest> {
  const body = readMembers(event);
  if (!body.valid) return body;
  const members = body.value as Readonly<Record<keyof PaymentRequest, never>>;
  const { amount, currency, source, capture } = members;
  return (
    brokenRule(members, RULES) ?? {
      valid: true,
      value: { amount, currency, source, capture, ...readNotes(members) },
    }
  );
}
