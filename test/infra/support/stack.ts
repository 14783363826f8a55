import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import cdkJson from '../../../cdk.json' with { type: 'json' };
import { PaymentsStack } from '../../../infra/payments-stack.ts';
import type { Authorization } from '../../../infra/stack/settings.ts';

/** Without bundling: what is deployed is looked at by `npm run test:deploy`. */
export function stackWith(authorization: Authorization = { kind: 'iam' }, keep = false) {
  const app = new App({ context: { ...cdkJson.context, 'aws:cdk:bundling-stacks': [] } });
  return {
    app,
    stack: new PaymentsStack(app, 'IdempotentPayments', { settings: { authorization, transport: 'sdk', keep } }),
  };
}

export const templateWith = (authorization?: Authorization, keep?: boolean) =>
  Template.fromStack(stackWith(authorization, keep).stack);

export const propertiesOf = (template: Template, type: string) =>
  Object.values(template.findResources(type)).map(({ Properties }) => Properties);

/** The statements of a role's policy, by the role's logical id. */
export function allowedTo(template: Template, role: string) {
  return propertiesOf(template, 'AWS::IAM::Policy')
    .filter(({ Roles }) => Roles[0].Ref === role)
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

export const arn = (id: string, attribute = 'Arn') => ({ 'Fn::GetAtt': [id, attribute] });

/** What every function of the example may: write its own log, and trace. X-Ray knows no resources. */
export const logAndTrace = (logs: string) => [
  { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: arn(logs) },
  { Effect: 'Allow', Action: ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], Resource: '*' },
];
