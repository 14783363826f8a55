import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { entityTag, type Payment } from './payment.ts';
import { problem } from './problems.ts';

/** The preconditions of a request (RFC 9110, section 13.1), as far as the API knows them. */
export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export function readPreconditions({ headers }: Pick<APIGatewayProxyEventV2, 'headers'>): Preconditions {
  // Format 2.0 has header names in lower case, and has joined a repeated header with commas, as its grammar allows.
  return { ifMatch: headers['if-match']?.trim(), ifNoneMatch: headers['if-none-match']?.trim() };
}

/** 428 (RFC 6585, section 3): without a precondition, the last of two writers would undo what the first has done. */
export function preconditionRequired(detail: string): APIGatewayProxyStructuredResultV2 {
  return problem('precondition-required', { detail });
}

/**
 * 412 when the preconditions of an unsafe request do not hold for the payment as it is
 * (`undefined`: there is none). They are evaluated in the order of RFC 9110, section 13.2.2.
 * `undefined` when they do.
 */
export function failedPrecondition(
  { ifMatch, ifNoneMatch }: Preconditions,
  payment: Payment | undefined,
): APIGatewayProxyStructuredResultV2 | undefined {
  if (ifMatch !== undefined && !matches(ifMatch, payment, 'strong')) return stale(payment);
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, payment, 'weak')) {
    return problem('precondition-failed', {
      detail: 'The payment exists already. GET it: a retry of the request that made it gets this answer, too.',
    });
  }
  return undefined;
}

/** 412 for a write that lost against another one, or came with an old entity tag. */
export function stale(payment: Payment | undefined): APIGatewayProxyStructuredResultV2 {
  const detail =
    payment === undefined
      ? 'There is no such payment, so that no entity tag matches. Create it with If-None-Match: *.'
      : 'If-Match is not the strong entity tag, such as "v3", that the payment has now. GET it, and decide again.';
  return problem('precondition-failed', { detail });
}

/** Whether a GET may be answered with 304. */
export function isUnmodified({ ifNoneMatch }: Preconditions, payment: Payment): boolean {
  return ifNoneMatch !== undefined && matches(ifNoneMatch, payment, 'weak');
}

/** An entity tag with what comes before and after it in a list (RFC 9110, sections 8.8.3 and 5.6.1). */
const LISTED_TAG = /\s*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)/gy;

/** RFC 9110, section 8.8.3.2: a weak tag matches nothing in the strong comparison. What is no list matches nothing. */
function matches(field: string, payment: Payment | undefined, comparison: 'strong' | 'weak'): boolean {
  if (payment === undefined) return false;
  if (field === '*') return true;
  const tag = entityTag(payment);
  return Array.from(field.matchAll(LISTED_TAG)).some(
    ([, weak, opaque]) => opaque === tag && (comparison === 'weak' || weak === undefined),
  );
}
