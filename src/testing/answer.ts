import { isDeepStrictEqual } from 'node:util';

/** What the caller of a handler gets. */
export type Answer<Result = unknown> =
  | { readonly kind: 'returned'; readonly value: Result }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** None: its process died, or its time ended. */
  | { readonly kind: 'died' };

interface HttpResponse {
  readonly statusCode: number;
  readonly body?: unknown;
}

const isHttp = (value: unknown): value is HttpResponse =>
  typeof (value as HttpResponse | null | undefined)?.statusCode === 'number';

/** A failure is a throw, a response of 400 or more, and a batch with failures in it. */
export function isSuccessful(answer: Answer | undefined): boolean {
  if (answer?.kind !== 'returned') return false;
  return isHttp(answer.value) ? answer.value.statusCode < 400 : failuresOf(answer).length === 0;
}

/** What the consumer of a batch says has failed. */
export function failuresOf(answer: Answer | undefined): readonly unknown[] {
  const value = answer?.kind === 'returned' ? answer.value : undefined;
  const { batchItemFailures } = (value ?? {}) as { batchItemFailures?: unknown };
  return Array.isArray(batchItemFailures) ? batchItemFailures : [];
}

/** Whether two callers got the same. A replay of an HTTP response may say that it is one, in its headers. */
export function isSameAnswer(one: unknown, other: unknown): boolean {
  if (isHttp(one) && isHttp(other))
    return one.statusCode === other.statusCode && isDeepStrictEqual(one.body, other.body);
  return isDeepStrictEqual(asJson(one), asJson(other));
}

function asJson(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
