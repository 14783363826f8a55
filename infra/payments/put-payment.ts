import { randomUUID } from 'node:crypto';
import { askProcessor } from './ask-processor.ts';
import type { PaymentDependencies } from './create-payment.ts';
import { type GuardedHandler, paymentId } from './guarded.ts';
import { newPayment } from './new-payment.ts';
import { parsePaymentRequest } from './payment-request.ts';
import { failedPrecondition, preconditionRequired, readPreconditions } from './preconditions.ts';
import { problem } from './problems.ts';
import { replacePayment } from './replace-payment.ts';
import { requestDigest } from './request-digest.ts';
import { createdResponse, paymentResponse } from './responses.ts';

/**
 * `PUT /payments/{id}`: authorizes a payment under an id of the client's choice, or replaces what describes it.
 *
 * Idempotent without an `Idempotency-Key`: the charge has a key that is derived from the id, and the precondition lets a
 * repetition do nothing. The repetition gets 412, as RFC 9110 has it, and finds its payment by GET.
 * A client that wants its 201 again sends an `Idempotency-Key`, and gets it before any precondition
 * is evaluated.
 */
export function putPayment({ payments, processor }: PaymentDependencies): GuardedHandler {
  return async (event, { idempotency, awsRequestId }, { signal } = {}) => {
    const preconditions = readPreconditions(event);
    if (preconditions.ifMatch === undefined && preconditions.ifNoneMatch !== '*') {
      return preconditionRequired(
        'Send If-None-Match: * to create the payment, or If-Match with its entity tag to replace it.',
      );
    }
    const parsed = parsePaymentRequest(event);
    if (!parsed.valid) return problem('invalid-request', { detail: parsed.detail, field: parsed.field });
    const request = parsed.value;
    if (request.capture === true) {
      return problem('invalid-request', { field: 'capture', detail: 'PUT authorizes only. POST captures, too.' });
    }
    const id = paymentId(event);
    const existing = await payments.find(id);
    const digest = requestDigest(request);
    const writtenBy = idempotency?.deriveKey(`write ${digest}`) ?? randomUUID({ disableEntropyCache: true });
    if (existing?.writtenBy === writtenBy) {
      // An earlier attempt of this request died after its write.
      return existing.version === 1 ? createdResponse(existing) : paymentResponse(200, existing);
    }
    const failed = failedPrecondition(preconditions, existing);
    if (failed !== undefined) return failed;
    if (existing !== undefined) return replacePayment(payments, existing, request, writtenBy);
    if (DERIVED_ID.test(id)) {
      const detail = 'POST makes UUIDs of version 8 from keys. Choose another version, such as 4 or 7.';
      return problem('invalid-request', { field: 'id', detail });
    }

    const charging = processor.charge({ ...request, capture: false }, `put-payment-${id}`, signal);
    const asked = await askProcessor(awsRequestId, charging, idUsed());
    if (!asked.answered) return asked.response;
    const charge = asked.answer;
    if (charge.status === 'declined') return problem('card-declined', { detail: charge.reason });
    const written = await payments.insert(newPayment(request, charge, { id, requestDigest: digest, writtenBy }));
    if (written.applied) return createdResponse(written.payment);
    return failedPrecondition(preconditions, written.existing) ?? paymentNotWritten(id);
  };
}

/**
 * RFC 9562, section 5.8: what `deriveKey` makes, and POST uses. Derived ids are no secret: a client that
 * knows a key can compute them. It must not take them before the request of that key.
 */
const DERIVED_ID = /^.{14}8/;

/** An id stands for one charge: the processor does not make another one for it. */
function idUsed() {
  return problem('payment-id-used', {
    detail: 'A payment with another amount, currency or source was begun under this id. Choose another one.',
  });
}

function paymentNotWritten(id: string): never {
  throw new Error(`The payment ${id} was neither written nor found, although payments are never deleted.`);
}
