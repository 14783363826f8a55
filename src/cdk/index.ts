import { RemovalPolicy, type ResourceEnvironment, Stack, Tags, Token } from 'aws-cdk-lib';
import {
  Alarm,
  type CreateAlarmOptions,
  type IMetric,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import {
  AttributeType,
  type ITable,
  Operation,
  type Table,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  type Alias,
  type IFunction,
  type Function as LambdaFunction,
  Runtime,
  RuntimeFamily,
  type Version,
} from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface IdempotencyTableProps {
  /** The table's physical name. @default made by CloudFormation, so that the table can be replaced */
  readonly tableName?: string;
  /**
   * A key of your own to encrypt with; guarded functions may use it. The stack must then name its region.
   * @default a key that AWS owns, at no cost
   */
  readonly encryptionKey?: IKey;
  /**
   * Whether the table can be restored to any second of the last 35 days.
   * @default true: without its records, work that was done may be done again
   */
  readonly pointInTimeRecovery?: boolean;
  /** Whether the table is protected from deletion, also by CloudFormation. @default true */
  readonly deletionProtection?: boolean;
  /** What becomes of the table when it leaves the stack. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /**
   * Other regions to replicate to. Conditional writes hold within one region: a key that is used in two of them at once
   * is executed in both. Send all requests of a key to one region. @default none
   */
  readonly replicaRegions?: readonly string[];
  /** With an `encryptionKey`: the ARN of the key of each replica region, by the region's name. @default none */
  readonly replicaKeyArns?: Readonly<Record<string, string>>;
  /** @default none */
  readonly tags?: Readonly<Record<string, string>>;
}

/** The environment variable that `guard` sets. */
const TABLE_NAME_VARIABLE = 'IDEMPOTENCY_TABLE_NAME';

/** What `dynamoDBStore` asks of DynamoDB. */
const STORE_ACTIONS = ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem'];

/** The package needs Node 22.15. */
const OLDEST_NODE = 22;

/**
 * A table of this app, or an imported one. The classes are named beside `ITable`: with `exactOptionalPropertyTypes` they are
 * not assignable to it.
 */
export type DynamoDBTable = ITable | Table | TableV2;

/** A function, an alias or a version. */
export type GuardedFunction = IFunction | LambdaFunction | Alias | Version;

/** What guards functions: an `IdempotencyTable`, or what `IdempotencyTable.fromTable` returns. */
export abstract class IdempotencyTableBase extends Construct {
  abstract readonly table: DynamoDBTable;

  /** The table's physical name. */
  get tableName(): string {
    return this.table.tableName;
  }

  /**
   * Lets a function keep its records here: grants what the store asks of this table, and nothing else, and sets
   * `IDEMPOTENCY_TABLE_NAME`. An alias or a version stands for its function.
   *
   * @throws Error at synthesis when the function is imported, has a runtime before Node 22, or is in another account or
   * region
   */
  guard(fn: GuardedFunction): void {
    const own = ownFunction(fn);
    requireSame(this.table.env, own.env, `${this.node.path} is in`, `and the function ${own.node.path} in`);
    this.table.grant(own, ...STORE_ACTIONS);
    this.table.encryptionKey?.grantEncryptDecrypt(own);
    own.addEnvironment(TABLE_NAME_VARIABLE, this.table.tableName);
  }

  /**
   * Writes that DynamoDB throttled, summed up: a throttled claim is a 503, a throttled completion a risk. One metric
   * (`WriteThrottleEvents`), since an alarm is billed for each one that it adds up.
   */
  metricThrottledWrites(props?: MetricOptions): Metric {
    return this.#metric('WriteThrottleEvents', props);
  }

  /** Puts (claims, takeovers, outcomes) that failed within DynamoDB, summed up. */
  metricSystemErrors(props?: MetricOptions): Metric {
    return this.#metric('SystemErrors', { dimensionsMap: { Operation: Operation.PUT_ITEM }, ...props });
  }

  /**
   * An alarm for any throttled write within five minutes. Give it an action.
   *
   * @param id The alarm's id within this construct: a second alarm needs one of its own. @default 'ThrottledWrites'
   * @throws Error when the id is taken
   */
  alarmOnThrottledWrites(id = 'ThrottledWrites', options: Partial<CreateAlarmOptions> = {}): Alarm {
    return this.#alarm(id, this.metricThrottledWrites(), 'Idempotency records are throttled', options);
  }

  /**
   * An alarm for any failure of DynamoDB within five minutes. Give it an action.
   *
   * @param id The alarm's id within this construct: a second alarm needs one of its own. @default 'SystemErrors'
   * @throws Error when the id is taken
   */
  alarmOnSystemErrors(id = 'SystemErrors', options: Partial<CreateAlarmOptions> = {}): Alarm {
    return this.#alarm(id, this.metricSystemErrors(), 'DynamoDB fails for idempotency records', options);
  }

  #metric(metricName: string, { dimensionsMap, ...props }: MetricOptions = {}): Metric {
    return new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      dimensionsMap: { TableName: this.table.tableName, ...dimensionsMap },
      statistic: Stats.SUM,
      ...props,
    }).attachTo(this);
  }

  #alarm(id: string, metric: IMetric, alarmDescription: string, options: Partial<CreateAlarmOptions>): Alarm {
    if (this.node.tryFindChild(id) !== undefined) {
      throw new Error(
        `IdempotencyTable: ${this.node.path} has a '${id}' already. Give the second alarm an id of its own.`,
      );
    }
    const treatMissingData = TreatMissingData.NOT_BREACHING;
    return new Alarm(this, id, {
      metric,
      alarmDescription,
      treatMissingData,
      threshold: 1,
      evaluationPeriods: 1,
      ...options,
    });
  }
}

/**
 * A DynamoDB table as `dynamoDBStore` needs it by default: partition key `id`, TTL on `expiration`, on-demand capacity.
 */
export class IdempotencyTable extends IdempotencyTableBase {
  /**
   * A table that exists, to guard functions with and to watch. It is not changed: see that it has a TTL attribute, and
   * give its key and attributes to `dynamoDBStore` if they have other names.
   *
   * @param table Of this app, or an imported one, such as `TableV2.fromTableName(this, 'Records', 'payments')`. Import
   * a table with a KMS key of yours by `TableV2.fromTableAttributes`, with its `encryptionKey`.
   * @throws Error when the table is in another account or region than the stack
   */
  static fromTable(scope: Construct, id: string, table: DynamoDBTable): IdempotencyTableBase {
    return new ExistingIdempotencyTable(scope, id, table);
  }

  readonly table: TableV2;

  constructor(scope: Construct, id: string, props: IdempotencyTableProps = {}) {
    super(scope, id);
    const { tableName, encryptionKey, pointInTimeRecovery = true, deletionProtection = true } = props;
    const { removalPolicy = RemovalPolicy.RETAIN, replicaRegions = [], replicaKeyArns, tags = {} } = props;
    // The id of the child is contract: another one would make CloudFormation replace the table.
    this.table = new TableV2(this, 'Table', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      timeToLiveAttribute: 'expiration',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: pointInTimeRecovery },
      deletionProtection,
      removalPolicy,
      replicas: replicaRegions.map((region) => ({ region })),
      ...(tableName !== undefined && { tableName }),
      ...(encryptionKey !== undefined && {
        encryption: TableEncryptionV2.customerManagedKey(encryptionKey, replicaKeyArns),
      }),
    });
    for (const [key, value] of Object.entries(tags)) Tags.of(this.table).add(key, value);
  }
}

class ExistingIdempotencyTable extends IdempotencyTableBase {
  readonly table: DynamoDBTable;

  constructor(scope: Construct, id: string, table: DynamoDBTable) {
    super(scope, id);
    requireSame(table.env, Stack.of(this), `the table of ${this.node.path} is in`, 'and its stack in');
    this.table = table;
  }
}

/** The function of this app that an alias or a version stands for. @throws Error when it cannot be guarded */
function ownFunction(given: GuardedFunction): LambdaFunction {
  const fn = (given && 'lambda' in given ? given.lambda : given) as LambdaFunction;
  if (typeof fn?.addEnvironment !== 'function') {
    throw new Error(
      'IdempotencyTable.guard(fn): fn must be a function of this app. An imported one keeps its own environment and ' +
        `role: set ${TABLE_NAME_VARIABLE} where it is defined, and allow ${STORE_ACTIONS.join(', ')} on the table there.`,
    );
  }
  const { family, name } = fn.runtime;
  // The construct cannot know the runtime of a container image.
  const isImage = name === Runtime.FROM_IMAGE.name;
  if (
    !isImage &&
    (family !== RuntimeFamily.NODEJS || Number(/^nodejs(\d+)\./.exec(name)?.[1] ?? OLDEST_NODE) < OLDEST_NODE)
  ) {
    throw new Error(
      `IdempotencyTable.guard(fn): ${fn.node.path} runs on ${name}; middy-idempotency needs nodejs22.x or later.`,
    );
  }
  return fn;
}

/** A table's name means a table of the account and region that ask. What is decided at deployment is not compared. */
function requireSame(table: ResourceEnvironment, user: ResourceEnvironment, tableIs: string, userIs: string): void {
  const differ = (one: string, other: string) =>
    !Token.isUnresolved(one) && !Token.isUnresolved(other) && one !== other;
  if (!differ(table.account, user.account) && !differ(table.region, user.region)) return;
  throw new Error(
    `IdempotencyTable: ${tableIs} ${table.account}/${table.region}, ${userIs} ${user.account}/${user.region}. ` +
      'The store asks for a table of its own account and region. For a replica, use ' +
      "IdempotencyTable.fromTable(scope, id, table.replica('<region>')) in a stack of that region.",
  );
}
