import { fileURLToPath } from 'node:url';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, Table, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  Alias,
  Code,
  DockerImageCode,
  DockerImageFunction,
  type IVersion,
  Function as LambdaFunction,
  Runtime,
  Version,
} from 'aws-cdk-lib/aws-lambda';
import { IdempotencyTable, type IdempotencyTableBase, type IdempotencyTableProps } from 'middy-idempotency/cdk';
import { describe, expect, it } from 'vitest';

const ACCOUNT = '123456789012';
const paymentsStack = (app = new App(), region = 'eu-central-1') =>
  new Stack(app, region === 'eu-central-1' ? 'Payments' : `Payments-${region}`, { env: { region, account: ACCOUNT } });

function synthesise(
  props?: IdempotencyTableProps,
  build: (table: IdempotencyTable, stack: Stack) => void = () => undefined,
) {
  const stack = paymentsStack();
  build(new IdempotencyTable(stack, 'Idempotency', props), stack);
  return Template.fromStack(stack);
}

const functionOf = (stack: Stack, runtime = Runtime.NODEJS_22_X) =>
  new LambdaFunction(stack, 'Fn', {
    runtime,
    handler: 'index.handler',
    code: Code.fromAsset(fileURLToPath(new URL('.', import.meta.url))),
  });

const TABLE = 'AWS::DynamoDB::GlobalTable';

it('is the table that the store needs: key, TTL, on-demand, protected, recoverable', () => {
  const template = synthesise();
  template.hasResource(TABLE, {
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
    Properties: {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      TimeToLiveSpecification: { AttributeName: 'expiration', Enabled: true },
      BillingMode: 'PAY_PER_REQUEST',
      Replicas: [
        {
          Region: 'eu-central-1',
          DeletionProtectionEnabled: true,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        },
      ],
    },
  });
  template.resourceCountIs('AWS::KMS::Key', 0);
});

it('keeps its logical id in every release: another one would replace the table, and forget every request', () => {
  expect(Object.keys(synthesise().findResources(TABLE))).toEqual(['IdempotencyTable48612DF4']);
});

it('takes a name, tags, replicas, and less protection', () => {
  synthesise({
    tableName: 'payments-idempotency',
    deletionProtection: false,
    pointInTimeRecovery: false,
    removalPolicy: RemovalPolicy.DESTROY,
    replicaRegions: ['eu-west-1'],
    tags: { team: 'payments' },
  }).hasResource(TABLE, {
    DeletionPolicy: 'Delete',
    Properties: {
      TableName: 'payments-idempotency',
      Replicas: Match.arrayWith([
        Match.objectLike({ Region: 'eu-west-1' }),
        Match.objectLike({
          Region: 'eu-central-1',
          DeletionProtectionEnabled: false,
          Tags: [{ Key: 'team', Value: 'payments' }],
        }),
      ]),
    },
  });
});

it('grants a guarded function what the store asks of this table, and nothing else', () => {
  const template = synthesise({}, (table, stack) => table.guard(functionOf(stack)));
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem'],
          Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^IdempotencyTable'), 'Arn'] },
        },
      ],
    },
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: { Ref: Match.stringLikeRegexp('^IdempotencyTable') } } },
  });
});

it('lets a guarded function use the key that encrypts the table', () => {
  const stack = new Stack(new App(), 'Encrypted', { env: { region: 'eu-central-1' } });
  const table = new IdempotencyTable(stack, 'Idempotency', { encryptionKey: new Key(stack, 'Key') });
  table.guard(functionOf(stack));
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: Match.arrayWith(['kms:Decrypt']),
          Resource: { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] },
        }),
      ]),
    },
  });
});

it('alarms when DynamoDB throttles or fails', () => {
  const template = synthesise({}, (table) => {
    table.alarmOnThrottledWrites();
    table.alarmOnSystemErrors(undefined, { threshold: 5 });
  });
  template.resourceCountIs('AWS::CloudWatch::Alarm', 2);
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { Threshold: 5, TreatMissingData: 'notBreaching' });
  const alarms = JSON.stringify(template.findResources('AWS::CloudWatch::Alarm'));
  for (const part of ['WriteThrottleEvents', 'SystemErrors', 'PutItem']) expect(alarms).toContain(part);
});

it('alarms twice when each alarm has an id, and says so when the second has none', () => {
  const template = synthesise({}, (table) => {
    table.alarmOnThrottledWrites();
    table.alarmOnThrottledWrites('ManyThrottledWrites', { threshold: 100 });
    expect(() => table.alarmOnThrottledWrites()).toThrow(
      "Payments/Idempotency has a 'ThrottledWrites' already. Give the second alarm an id of its own.",
    );
    expect(() => table.alarmOnSystemErrors('Table')).toThrow("has a 'Table' already");
  });
  template.resourceCountIs('AWS::CloudWatch::Alarm', 2);
});

const QUALIFIED = {
  'an alias': (fn: LambdaFunction) => fn.addAlias('live'),
  'an alias of a version': (fn: LambdaFunction) =>
    new Alias(fn, 'Live', { aliasName: 'live', version: fn.currentVersion as IVersion }),
  'a version': (fn: LambdaFunction) => fn.currentVersion,
};

it.each(Object.entries(QUALIFIED))('guards the function that %s stands for', (_, qualify) => {
  const template = synthesise({}, (table, stack) => table.guard(qualify(functionOf(stack))));
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: { Ref: Match.stringLikeRegexp('^IdempotencyTable') } } },
  });
  expect(grantedTo(template)).toEqual([{ 'Fn::GetAtt': [expect.stringMatching(/^IdempotencyTable/), 'Arn'] }]);
});

it('refuses an alias or a version as it refuses its function: imported, or on another runtime', () => {
  synthesise({}, (table, stack) => {
    const arn = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:payments:7`;
    const version = Version.fromVersionArn(stack, 'Imported', arn);
    expect(() => table.guard(version)).toThrow(/imported one.*IDEMPOTENCY_TABLE_NAME/s);
    const alias = Alias.fromAliasAttributes(stack, 'ImportedAlias', { aliasName: 'live', aliasVersion: version });
    expect(() => table.guard(alias)).toThrow(/imported one.*IDEMPOTENCY_TABLE_NAME/s);
    const old = functionOf(stack, Runtime.NODEJS_20_X).addAlias('live');
    expect(() => table.guard(old)).toThrow('Payments/Fn runs on nodejs20.x');
  });
});

it('refuses an imported function, and says what to do there', () => {
  synthesise({}, (table, stack) => {
    const imported = LambdaFunction.fromFunctionName(stack, 'Imported', 'payments');
    expect(() => table.guard(imported)).toThrow(/imported one.*IDEMPOTENCY_TABLE_NAME.*dynamodb:PutItem/s);
  });
});

it.each([Runtime.NODEJS_20_X, Runtime.PYTHON_3_12])('refuses a function on another runtime, by its name', (runtime) => {
  synthesise({}, (table, stack) => {
    expect(() => table.guard(functionOf(stack, runtime))).toThrow(`Payments/Fn runs on ${runtime.name}`);
  });
});

it.each([Runtime.NODEJS_22_X, Runtime.NODEJS_LATEST, new Runtime('nodejs24.x', Runtime.NODEJS_22_X.family)])(
  'guards a function on a runtime that is new enough',
  (runtime) => {
    synthesise({}, (table, stack) => expect(() => table.guard(functionOf(stack, runtime))).not.toThrow());
  },
);

it('guards a function that is a container image: what runs in it is its own affair', () => {
  const template = synthesise({}, (table, stack) => {
    const code = DockerImageCode.fromEcr(new Repository(stack, 'Images'));
    table.guard(new DockerImageFunction(stack, 'Image', { code }));
  });
  template.hasResourceProperties('AWS::Lambda::Function', {
    PackageType: 'Image',
    Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: Match.anyValue() } },
  });
});

const existing = (build: (stack: Stack) => IdempotencyTableBase) => {
  const stack = paymentsStack();
  const table = build(stack);
  table.guard(functionOf(stack).addAlias('live'));
  table.alarmOnThrottledWrites();
  table.alarmOnSystemErrors('PutsFail', { threshold: 5 });
  return Template.fromStack(stack);
};

describe('a table that exists', () => {
  it('is guarded with, granted and watched by its name, and nothing is made or changed', () => {
    const template = existing((stack) =>
      IdempotencyTable.fromTable(stack, 'Idempotency', TableV2.fromTableName(stack, 'Records', 'payments-records')),
    );
    for (const type of [TABLE, 'AWS::DynamoDB::Table']) template.resourceCountIs(type, 0);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: 'payments-records' } },
    });
    expect(JSON.stringify(grantedTo(template))).toContain(`:dynamodb:eu-central-1:${ACCOUNT}:table/payments-records"`);
    for (const alarm of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) {
      expect(alarm['Properties'].Dimensions).toContainEqual({ Name: 'TableName', Value: 'payments-records' });
    }
  });

  it.each([
    ['its ARN', (stack: Stack) => TableV2.fromTableArn(stack, 'T', tableArn('eu-central-1')), 'payments'],
    ['the first construct', (stack: Stack) => Table.fromTableName(stack, 'T', 'payments'), 'payments'],
    ['a Table of this app', (stack: Stack) => new Table(stack, 'T', KEYED), { Ref: 'TD925BC7E' }],
    ['a TableV2 of this app', (stack: Stack) => new TableV2(stack, 'T', KEYED), { Ref: 'TD925BC7E' }],
  ])('is taken by %s', (_, tableOf, name) => {
    const template = existing((stack) => IdempotencyTable.fromTable(stack, 'Idempotency', tableOf(stack)));
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { IDEMPOTENCY_TABLE_NAME: name } },
    });
    expect(grantedTo(template)).toHaveLength(1);
  });

  it('lets a guarded function use the key that it was imported with', () => {
    const encryptionKey = (stack: Stack) =>
      Key.fromKeyArn(stack, 'K', `arn:aws:kms:eu-central-1:${ACCOUNT}:key/0d6a2b1e-5c1f-4f3a-9b8e-2f1c4a7d9e10`);
    const template = existing((stack) => {
      const attributes = { tableName: 'payments', encryptionKey: encryptionKey(stack) };
      return IdempotencyTable.fromTable(stack, 'Idempotency', TableV2.fromTableAttributes(stack, 'T', attributes));
    });
    expect(JSON.stringify(template.findResources('AWS::IAM::Policy'))).toContain('kms:Decrypt');
  });

  it('is refused where the store would not find it: in another region or account', () => {
    const stack = paymentsStack();
    const elsewhere = [tableArn('us-east-1'), tableArn('eu-central-1', '999999999999')];
    for (const [index, arn] of elsewhere.entries()) {
      const table = TableV2.fromTableArn(stack, `T${index}`, arn);
      expect(() => IdempotencyTable.fromTable(stack, `I${index}`, table)).toThrow(
        /the table of Payments\/I\d is in .*, and its stack in 123456789012\/eu-central-1.*fromTable/,
      );
    }
  });

  it('is the replica, for a function of its region; the table itself is refused there', () => {
    const app = new App();
    const home = paymentsStack(app);
    const props = { tableName: 'payments-records', replicaRegions: ['eu-west-1'] };
    const table = new IdempotencyTable(home, 'Idempotency', props);
    const away = paymentsStack(app, 'eu-west-1');
    const fn = functionOf(away);
    expect(() => table.guard(fn)).toThrow(
      'Payments/Idempotency is in 123456789012/eu-central-1, and the function Payments-eu-west-1/Fn in 123456789012/eu-west-1',
    );
    IdempotencyTable.fromTable(away, 'Idempotency', table.table.replica('eu-west-1')).guard(fn);
    const template = Template.fromStack(away);
    expect(JSON.stringify(grantedTo(template))).toContain(`:dynamodb:eu-west-1:${ACCOUNT}:table/payments-records`);
  });
});

const KEYED = { partitionKey: { name: 'id', type: AttributeType.STRING } };

function tableArn(region: string, account = ACCOUNT): string {
  return `arn:aws:dynamodb:${region}:${account}:table/payments`;
}

/** The resources of what a function may do, besides its log. */
function grantedTo(template: Template): unknown[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => [Action].flat().includes('dynamodb:PutItem'))
    .map(({ Resource }) => Resource);
}
