import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  HttpStage,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import openapi from '../payments/openapi.json' with { type: 'json' };
import type { Authorization } from './settings.ts';

/** A client in a loop must not become a bill, nor use up the account's concurrency: requests a second, and at once. */
const THROTTLE = { rateLimit: 50, burstLimit: 100 };

/** An HTTP API with the routes of the OpenAPI document, and no other. */
export function createPaymentsApi(scope: Construct, fn: IFunction, authorization: Authorization): HttpApi {
  const authorizer = authorizerFor(authorization);
  const api = new HttpApi(scope, 'Api', {
    apiName: openapi.info.title,
    createDefaultStage: false,
    ...(authorizer !== undefined && { defaultAuthorizer: authorizer }),
  });
  const logs = new LogGroup(scope, 'ApiLogs', {
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  // The one stage whose name is no part of the path.
  new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: THROTTLE,
    detailedMetricsEnabled: true,
    accessLogSettings: {
      destination: new LogGroupLogDestination(logs),
      format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
    },
  });
  if (authorization.kind === 'anonymous') {
    Validations.of(api).acknowledge({
      id: 'AwsSolutions::AwsSolutions-APIG4',
      reason: 'The deployment has asked for an API that every caller may use (auth=anonymous).',
    });
  }
  const integration = new HttpLambdaIntegration('Payments', fn);
  for (const { path, methods } of routes()) api.addRoutes({ path, methods, integration });
  return api;
}

/** Neither headers nor bodies: not every reader of logs may see idempotency keys. */
const ACCESS_LOG = {
  requestId: '$context.requestId',
  time: '$context.requestTime',
  routeKey: '$context.routeKey',
  status: '$context.status',
  latencyMillis: '$context.responseLatency',
  integrationMillis: '$context.integrationLatency',
  integrationError: '$context.integrationErrorMessage',
  authorizerError: '$context.authorizer.error',
};

/** @throws Error when the document has a method that API Gateway does not know */
function routes(): { path: string; methods: HttpMethod[] }[] {
  const known = Object.values(HttpMethod);
  return Object.entries(openapi.paths).map(([path, operations]) => ({
    path,
    methods: Object.keys(operations)
      .filter((name) => name !== 'parameters')
      .map((name) => {
        const method = known.find((candidate) => candidate === name.toUpperCase());
        if (method === undefined)
          throw new Error(`openapi.json has the method '${name}' at ${path}: it can't be routed`);
        return method;
      }),
  }));
}

function authorizerFor(authorization: Authorization): IHttpRouteAuthorizer | undefined {
  switch (authorization.kind) {
    case 'iam':
      return new HttpIamAuthorizer();
    case 'jwt':
      return new HttpJwtAuthorizer('Jwt', authorization.issuer, { jwtAudience: [...authorization.audience] });
    case 'anonymous':
      return undefined;
  }
}
