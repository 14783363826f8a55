import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { problem } from './problems.ts';

/** A Lambda handler behind an API Gateway HTTP API, payload format 2.0. */
export type HttpHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

export interface Route {
  readonly method: string;
  /** As API Gateway and OpenAPI have it, with `{name}` for a UUID: `/payments/{id}`. */
  readonly path: string;
  readonly handler: HttpHandler;
}

/** Lower case, as RFC 9562, section 4, has it written: two ways to write an id would be two payments. */
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/**
 * Finds the handler by method and path, and gives it the path's parameters. The API itself may have
 * one route (`$default`), or one for each operation. Expects the `$default` stage: any other one is
 * part of `rawPath`.
 */
export function router(routes: readonly Route[]): HttpHandler {
  const compiled = routes.map((route) => ({ ...route, pattern: compile(route.path) }));

  return async (event, context) => {
    const { method } = event.requestContext.http;
    const here = compiled.filter(({ pattern }) => pattern.test(event.rawPath));
    const route = here.find((candidate) => candidate.method === method);
    if (route !== undefined) {
      const pathParameters = { ...route.pattern.exec(event.rawPath)?.groups };
      return route.handler({ ...event, pathParameters }, context);
    }
    if (here.length === 0) return problem('not-found', { detail: 'Payments are at /payments/ and a lower-case UUID.' });
    const allow = here.map((candidate) => candidate.method).join(', ');
    return problem('method-not-allowed', { detail: `This path allows ${allow}.` }, { allow });
  };
}

function compile(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, `(?<$1>${UUID})`)}$`);
}
