import type { Context } from 'aws-lambda';

export interface LambdaContextOptions extends Partial<Omit<Context, 'getRemainingTimeInMillis'>> {
  /** The timeout of the function, milliseconds. @default 30_000 */
  readonly timeoutMillis?: number;
  /** The clock that the remaining time follows, epoch milliseconds. @default a clock that only `elapse` moves */
  readonly now?: () => number;
}

/** A context of an invocation that begins now. */
export interface TestContext extends Context {
  /** Takes `millis` from the remaining time. */
  elapse(millis: number): void;
}

/**
 * The second argument of a Lambda handler. Its remaining time counts down when the test says so.
 *
 * @throws TypeError when `timeoutMillis` is not a positive number
 */
export function lambdaContext({ timeoutMillis = 30_000, now, ...given }: LambdaContextOptions = {}): TestContext {
  if (!(timeoutMillis > 0)) throw new TypeError('lambdaContext: `timeoutMillis` must be a positive number');
  const { functionName = 'function-under-test' } = given;
  let elapsed = 0;
  const clock = now ?? (() => 0);
  const deadline = clock() + timeoutMillis;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${functionName}`,
    memoryLimitInMB: '128',
    awsRequestId: '8f507cfc-example-4697-b07a-ac58fc914c95',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: '2026/01/01/[$LATEST]58419525dade4d17a495dceeeed44708',
    done: noCallbacks,
    fail: noCallbacks,
    succeed: noCallbacks,
    ...given,
    getRemainingTimeInMillis: () => deadline - clock() - elapsed,
    elapse(millis) {
      elapsed += millis;
    },
  };
}

function noCallbacks(): never {
  throw new TypeError('lambdaContext: return the response, or throw. Lambda has no callbacks from Node.js 24 on.');
}
