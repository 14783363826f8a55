import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { ChargeRequest } from './processor.ts';

export type ParsedPaymentRequest =
  | { readonly valid: true; readonly request: ChargeRequest }
  /** `field` is the offending member, `body` when there is no JSON object. */
  | { readonly valid: false; readonly field: string; readonly message: string };

/** Eight digits, as payment processors have it: far above a sensible payment, far below 2^53. */
export const MAX_AMOUNT = 99_999_999;

const RULES = {
  amount: {
    holds: (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_AMOUNT,
    message: `amount must be a whole number of the currency's minor unit (cents) from 1 to ${MAX_AMOUNT}`,
  },
  currency: {
    holds: (value: unknown) => typeof value === 'string' && /^[A-Z]{3}$/.test(value),
    message: 'currency must be an ISO 4217 code: three upper-case letters, such as "EUR"',
  },
  source: {
    holds: (value: unknown) => typeof value === 'string' && /^tok_[A-Za-z0-9_]{1,251}$/.test(value),
    message: 'source must be a card token: "tok_" and letters, digits or underscores, 255 characters at most',
  },
} satisfies Record<keyof ChargeRequest, { holds: (value: unknown) => boolean; message: string }>;

/** The body of `POST /payments`. Members that are not known are ignored. */
export function parsePaymentRequest({ body, isBase64Encoded }: APIGatewayProxyEventV2): ParsedPaymentRequest {
  const parsed = parseJson(isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString() : (body ?? ''));
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { valid: false, field: 'body', message: 'the body must be a JSON object with amount, currency and source' };
  }
  const members = parsed as Record<string, unknown>;
  for (const [field, { holds, message }] of Object.entries(RULES)) {
    if (!holds(members[field])) return { valid: false, field, message };
  }
  const { amount, currency, source } = parsed as ChargeRequest;
  return { valid: true, request: { amount, currency, source } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
