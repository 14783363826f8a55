import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { paymentId } from './guarded.ts';
import { entityTag } from './payment.ts';
import type { Payments } from './payments.ts';
import { isUnmodified, readPreconditions } from './preconditions.ts';
import { paymentNotFound, paymentResponse } from './responses.ts';

/** `GET /payments/{id}`. Reading is safe to repeat by itself: no guard. 304 (RFC 9110, section 15.4.5) saves the body. */
export function getPayment(payments: Payments) {
  return async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const payment = await payments.find(paymentId(event));
    if (payment === undefined) return paymentNotFound();
    if (isUnmodified(readPreconditions(event), payment)) {
      return { statusCode: 304, headers: { etag: entityTag(payment) } };
    }
    return paymentResponse(200, payment);
  };
}
