import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Payment, PaymentNotes } from './payment.ts';
import type { PaymentRequest } from './payment-request.ts';
import type { Payments } from './payments.ts';
import { stale } from './preconditions.ts';
import { problem } from './problems.ts';
import { paymentResponse } from './responses.ts';

const FIXED = ['amount', 'currency', 'source'] as const;

/** A full replacement by PUT: what was authorized is fixed, what describes it may differ. */
export async function replacePayment(
  payments: Payments,
  existing: Payment,
  request: PaymentRequest,
  writtenBy: string,
): Promise<APIGatewayProxyStructuredResultV2> {
  if (existing.status !== 'authorized') {
    return problem('payment-not-authorized', {
      detail: `The payment is ${existing.status}: PUT replaces authorized ones. PATCH changes description and metadata.`,
    });
  }
  const field = FIXED.find((name) => request[name] !== existing[name]);
  if (field !== undefined) {
    const detail = `${field} was authorized as ${existing[field]}. Void the payment, and make another one.`;
    return problem('member-not-replaceable', { detail, field });
  }
  return writeNotes(payments, existing, request, writtenBy);
}

/** Writes the next version: 200, or 412 when another writer was faster. */
export async function writeNotes(
  payments: Payments,
  existing: Payment,
  notes: PaymentNotes,
  writtenBy: string,
): Promise<APIGatewayProxyStructuredResultV2> {
  const written = await payments.replaceNotes(existing, notes, writtenBy);
  return written.applied ? paymentResponse(200, written.payment) : stale(written.existing);
}
