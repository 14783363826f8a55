import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Payments } from './payments.ts';
import { failure, json } from './responses.ts';

/** `GET /payments/{id}`. Reading is safe to repeat by itself: no guard. */
export function getPayment(payments: Payments) {
  return async ({ rawPath }: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    const payment = await payments.find(rawPath.slice(rawPath.lastIndexOf('/') + 1));
    if (payment === undefined) return failure(404, { error: 'NOT_FOUND', message: 'There is no such payment.' });
    return json(200, payment);
  };
}
