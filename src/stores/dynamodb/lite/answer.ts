import { isObject } from '../../../json.ts';
import type { Found } from '../connection.ts';
import type { Answer } from './exchange.ts';
import { fromWire } from './marshall.ts';

/** What DynamoDB says of an error: the members of the SDK's errors that this package and its users read. */
export interface ServiceError extends Error {
  readonly $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  /** Who is at fault. Only DynamoDB says so: absent where a proxy answered. */
  readonly $fault?: 'client' | 'server';
  /** The request may be sent again. */
  readonly $retryable?: object;
}

/** Refusals that pass by themselves (AWS: "Error handling with DynamoDB"). */
const THROTTLED =
  /^(Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|RequestThrottled|TooManyRequests|SlowDown|TransactionInProgress)/;

/**
 * What DynamoDB answered with a 200.
 *
 * @throws ServiceError what DynamoDB refused, or why this is no answer of DynamoDB: nothing of the answer stands in its message
 */
export function outputOf({ status, headers, body }: Answer): Found {
  const checksum = headers['x-amz-crc32'];
  if (checksum !== undefined && Number(checksum) !== process.getBuiltinModule('node:zlib').crc32(body)) {
    throw noAnswer('the answer was altered on its way');
  }
  const value = parsed(body);
  // Also an error with a 200: some proxies answer so.
  if (value === undefined || (status < 400 && (status !== 200 || value['__type'] !== undefined))) {
    throw Object.assign(noAnswer('this is no answer of DynamoDB'), { $metadata: { httpStatusCode: status } });
  }
  if (status === 200) return found(value);
  const { __type, message, Message, ...members } = value;
  const [name = ''] = String(__type ?? 'Unknown')
    .split('#')
    .slice(-1);
  throw Object.assign(new Error(String(message ?? Message ?? 'UnknownError')), {
    ...found(members),
    name,
    $metadata: { httpStatusCode: status, requestId: headers['x-amzn-requestid'] },
    ...(__type !== undefined && { $fault: status < 500 ? 'client' : 'server' }),
    ...(name === 'ReplicatedWriteConflictException' && { $retryable: {} }),
  });
}

export function isThrottling({ name, $metadata }: ServiceError): boolean {
  return $metadata?.httpStatusCode === 429 || THROTTLED.test(name);
}

/** No answer came, or a failure that passes by itself. */
export function isRetryable(error: ServiceError): boolean {
  const status = error.$metadata?.httpStatusCode ?? 0;
  return status < 400 || status >= 500 || isThrottling(error) || error.$retryable !== undefined;
}

function noAnswer(message: string): Error {
  return Object.assign(new Error(message), { name: 'AnswerError' });
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Items as the SDK gives them: bytes are bytes. */
function found({ Item, CancellationReasons, ...members }: Record<string, unknown>): Found {
  return {
    ...members,
    ...(isObject(Item) && { Item: fromWire(Item) }),
    ...(Array.isArray(CancellationReasons) && {
      CancellationReasons: CancellationReasons.map((reason) => found(reason ?? {})),
    }),
  };
}
