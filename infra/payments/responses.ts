import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entityTag, type Payment, type Refund } from './payment.ts';
import { problem } from './problems.ts';

/** Answers with a payment, and with its entity tag (RFC 9110, section 8.8.3). */
export function paymentResponse(
  statusCode: 200 | 201,
  payment: Payment,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', etag: entityTag(payment), ...headers },
    body: JSON.stringify(representation(payment)),
  };
}

/** 201 for a payment that this request made. */
export function createdResponse(payment: Payment): APIGatewayProxyStructuredResultV2 {
  return paymentResponse(201, payment, { location: `/payments/${payment.id}` });
}

/**
 * 201 for a refund: what it is, not what is left. A retry gets the same, also after further
 * refunds.
 */
export function refundResponse({ id, currency }: Payment, refund: Refund): APIGatewayProxyStructuredResultV2 {
  const { amount, createdAt } = refund;
  return {
    statusCode: 201,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: refund.id, payment: id, amount, currency, createdAt }),
  };
}

/**
 * What the idempotency middleware says while it has the record: the key came before with another
 * request. Here that request's record has expired, or its attempt got no further than the
 * processor.
 */
export function keyReused(): APIGatewayProxyStructuredResultV2 {
  return problem('key-reused', {
    detail: 'This idempotency key was used before with a different request. Use a new key for a new request.',
  });
}

export function paymentNotFound(): APIGatewayProxyStructuredResultV2 {
  return problem('payment-not-found', { detail: 'No payment has this id.' });
}

/**
 * What a client sees of a payment: neither its version, which is the entity tag's, nor who wrote it. The same bytes for
 * the same version, as a strong entity tag promises: DynamoDB's maps have no order.
 */
function representation(payment: Payment): object {
  const { id, status, amount, amountRefunded, currency, source, description, metadata, chargeId, createdAt } = payment;
  const refunds = payment.refunds.map(({ id, amount, createdAt }) => ({ id, amount, createdAt }));
  return {
    id,
    status,
    amount,
    amountRefunded,
    currency,
    source,
    ...(description !== undefined && { description }),
    metadata: Object.fromEntries(Object.entries(metadata).sort(byText(([name]) => name))),
    refunds: refunds.sort(byText((refund) => refund.createdAt + refund.id)),
    chargeId,
    createdAt,
  };
}

function byText<T>(of: (value: T) => string) {
  return (a: T, b: T) => (of(a) < of(b) ? -1 : 1);
}
