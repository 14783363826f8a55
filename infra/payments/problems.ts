import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/**
 * What the `type` of every problem begins with, those of the idempotency middleware included: one catalogue for the
 * client. Put the address of your own documentation here (RFC 9457, section 3.1.1).
 */
export const PROBLEM_BASE_URI = 'https://payments.example/problems/';

/** The API's own problems. A type has one status and one title (RFC 9457, section 3.1.3). */
const CATALOGUE = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'card-declined': { status: 402, title: 'The card was declined' },
  'not-found': { status: 404, title: 'There is nothing at this path' },
  'payment-not-found': { status: 404, title: 'There is no such payment' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'payment-id-used': { status: 409, title: 'The id was used for another charge' },
  'payment-not-authorized': { status: 409, title: 'The payment is not in the state authorized' },
  'payment-not-captured': { status: 409, title: 'The payment was not captured' },
  'member-not-replaceable': { status: 409, title: 'This member of a payment cannot be replaced' },
  'refund-exceeds-payment': { status: 409, title: 'The refund is more than is left of the payment' },
  'too-many-refunds': { status: 409, title: 'The payment has too many refunds' },
  'precondition-failed': { status: 412, title: 'The payment is not in the state that the request expects' },
  'unsupported-media-type': { status: 415, title: 'The media type of the body is not supported' },
  'key-reused': { status: 422, title: 'Idempotency-Key is already used' },
  'precondition-required': { status: 428, title: 'A precondition is required' },
  'internal-error': { status: 500, title: 'Something went wrong here' },
  'processor-unreachable': { status: 502, title: 'The payment processor did not answer' },
} as const;

export type ProblemName = keyof typeof CATALOGUE;

export interface ProblemDetails {
  /** What happened this time and what to do, for a person. */
  readonly detail: string;
  /** The member of the request body that is wrong, `body` for the whole. An extension (RFC 9457, section 3.2). */
  readonly field?: string;
}

/** Problem details (RFC 9457). Nothing that only the log may know belongs in them. */
export function problem(
  name: ProblemName,
  details: ProblemDetails,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyStructuredResultV2 {
  const { status, title } = CATALOGUE[name];
  return {
    statusCode: status,
    headers: { 'content-type': 'application/problem+json', ...headers },
    body: JSON.stringify({ type: `${PROBLEM_BASE_URI}${name}`, title, status, ...details }),
  };
}
