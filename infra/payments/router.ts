import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { failure } from './responses.ts';

/** A Lambda handler behind an API Gateway HTTP API, payload format 2.0. */
export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

export interface Route {
  readonly method: string;
  readonly path: RegExp;
  readonly handler: HttpHandler;
}

/**
 * Finds the handler by method and path, whatever routes the API itself has (`$default`, or one for each operation).
 * Expects the `$default` stage: any other one is part of `rawPath`.
 */
export function router(routes: readonly Route[]): HttpHandler {
  return async (event, context) => {
    const { method } = event.requestContext.http;
    const here = routes.filter(({ path }) => path.test(event.rawPath));
    const route = here.find((candidate) => candidate.method === method);
    if (route !== undefined) return route.handler(event, context);
    if (here.length === 0) {
      return failure(404, { error: 'NOT_FOUND', message: 'There is nothing at this path.' });
    }
    const allow = here.map((candidate) => candidate.method).join(', ');
    return failure(405, { error: 'METHOD_NOT_ALLOWED', message: `This path allows ${allow}.` }, { allow });
  };
}
