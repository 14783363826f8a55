import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type GuardedHandler, paymentId } from './guarded.ts';
import { mergePatch } from './merge-patch.ts';
import type { Payment, PaymentNotes } from './payment.ts';
import { NOTES_RULES, readNotes } from './payment-notes.ts';
import type { Payments } from './payments.ts';
import { failedPrecondition, preconditionRequired, readPreconditions } from './preconditions.ts';
import { problem } from './problems.ts';
import { writeNotes } from './replace-payment.ts';
import { brokenRule, type Members, type Parsed, readMembers } from './request-body.ts';
import { requestDigest } from './request-digest.ts';
import { paymentNotFound, paymentResponse } from './responses.ts';

const MEDIA_TYPES = ['application/merge-patch+json', 'application/json'];

/** `PATCH /payments/{id}`: changes description and metadata, of a payment in any state, by JSON merge patch (RFC 7396). */
export function patchPayment(payments: Payments): GuardedHandler {
  return async (event, { idempotency }) => {
    if (!MEDIA_TYPES.includes(mediaType(event))) {
      const detail = `The body must be one of ${MEDIA_TYPES.join(', ')}.`;
      // RFC 5789, section 2.2.
      return problem('unsupported-media-type', { detail }, { 'accept-patch': MEDIA_TYPES.join(', ') });
    }
    const preconditions = readPreconditions(event);
    if (preconditions.ifMatch === undefined) {
      return preconditionRequired('Send If-Match with the entity tag that GET has answered.');
    }
    const patch = readMembers(event);
    if (!patch.valid) return problem('invalid-request', { detail: patch.detail, field: patch.field });
    const existing = await payments.find(paymentId(event));
    if (existing === undefined) return paymentNotFound();
    const writtenBy =
      idempotency?.deriveKey(`write ${requestDigest(patch.value)}`) ?? randomUUID({ disableEntropyCache: true });
    // An earlier attempt of this request died after its write.
    if (existing.writtenBy === writtenBy) return paymentResponse(200, existing);
    const failed = failedPrecondition(preconditions, existing);
    if (failed !== undefined) return failed;
    const patched = patchNotes(existing, patch.value);
    if (!patched.valid) return problem('invalid-request', { detail: patched.detail, field: patched.field });
    return writeNotes(payments, existing, patched.value, writtenBy);
  };
}

function patchNotes({ description, metadata }: Payment, patch: Members): Parsed<PaymentNotes> {
  const foreign = Object.keys(patch).find((name) => !Object.hasOwn(NOTES_RULES, name));
  if (foreign !== undefined) {
    return { valid: false, field: foreign, detail: 'Only description and metadata can be changed.' };
  }
  const patched = mergePatch({ ...(description !== undefined && { description }), metadata }, patch) as Members;
  return brokenRule(patched, NOTES_RULES) ?? { valid: true, value: readNotes(patched) };
}

function mediaType({ headers }: APIGatewayProxyEventV2): string {
  return (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}
