import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { createContext } from '../tools/context.ts';

/** A key of a header and of the body, as both packages read it. */
export const KEY = '[headers."idempotency-key", powertools_json(body).orderId]';

export const FUNCTION_NAME = 'place-order';

/** As an HTTP API sends it (AWS: "Create AWS Lambda proxy integrations for HTTP APIs", format 2.0). */
export function httpEvent(key: string, body: string = orderBody(key)): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'POST /orders',
    rawPath: '/orders',
    rawQueryString: '',
    headers: {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate, br',
      'content-length': String(Buffer.byteLength(body)),
      'content-type': 'application/json',
      host: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
      'idempotency-key': key,
      'user-agent': 'shop/1.0',
      'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      domainName: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: { method: 'POST', path: '/orders', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'shop/1.0' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: 'POST /orders',
      stage: '$default',
      time: '24/Nov/2026:12:00:00 +0000',
      timeEpoch: 1_795_521_600_000,
    },
    body,
    isBase64Encoded: false,
  };
}

export function orderBody(orderId: string, note = ''): string {
  return JSON.stringify({ orderId, amount: 1999, currency: 'EUR', items: [{ sku: 'A-1', quantity: 2 }], note });
}

export function context(timeoutMillis = 30_000): Context {
  return createContext('8f5b1e0c-5f5d-4f5b-9a51-0f5d8c1f2a3b', { functionName: FUNCTION_NAME, timeoutMillis });
}

/** What the handler answers where the size of it is not the subject. */
export const RESPONSE = {
  statusCode: 201,
  headers: { 'content-type': 'application/json', location: '/orders/ord_1' },
  body: '{"id":"ord_1","status":"placed","amount":1999,"currency":"EUR"}',
};
