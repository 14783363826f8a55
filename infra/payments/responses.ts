import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** What the client gets with every status above 399. */
export interface ErrorBody {
  /** A stable code to branch on. */
  readonly error: string;
  /** What happened and what to do, for a person. */
  readonly message: string;
  /** The member of the request body that is wrong. */
  readonly field?: string;
}

/** A JSON response. */
export function json(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** A JSON response that says what went wrong. */
export function failure(
  statusCode: number,
  body: ErrorBody,
  headers?: Readonly<Record<string, string>>,
): APIGatewayProxyStructuredResultV2 {
  return json(statusCode, body, headers);
}
