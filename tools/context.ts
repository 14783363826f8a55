import type { Context } from 'aws-lambda';

export interface FunctionSettings {
  readonly functionName: string;
  /** The function's timeout, milliseconds. */
  readonly timeoutMillis: number;
}

/** The context of an invocation that begins now: its remaining time counts down, below zero after the timeout. */
export function createContext(requestId: string, { functionName, timeoutMillis }: FunctionSettings): Context {
  const deadline = performance.now() + timeoutMillis;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${functionName}`,
    memoryLimitInMB: '128',
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.floor(deadline - performance.now()),
    done: refuse,
    fail: refuse,
    succeed: refuse,
  };
}

function refuse(): never {
  throw new Error('The methods done, fail and succeed of the context are gone since Node.js 0.10: return a promise.');
}
