/** Money has moved. Other systems get this event at least once, in any order. */
export interface PaymentEvent {
  /**
   * A UUID, the same on every attempt of the request that has moved the money: a consumer
   * recognises the event by it.
   */
  readonly id: string;
  readonly type: 'payment-captured' | 'payment-refunded';
  /** The payment's id. */
  readonly payment: string;
  /** Above zero, in the currency's minor unit. */
  readonly amount: number;
  readonly currency: string;
  /** ISO 8601. */
  readonly occurredAt: string;
}

/** A message that no attempt can read: the dead-letter queue keeps it for the operator. */
class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const RULES: { readonly [Name in keyof PaymentEvent]: (value: unknown) => boolean } = {
  id: (value) => typeof value === 'string' && UUID.test(value),
  type: (value) => value === 'payment-captured' || value === 'payment-refunded',
  payment: (value) => typeof value === 'string' && UUID.test(value),
  amount: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  currency: (value) => typeof value === 'string' && /^[A-Z]{3}$/.test(value),
  occurredAt: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
};

/** Members that it does not know are left out: a later version of the publisher may add some. @throws InvalidEventError */
export function parsePaymentEvent(text: string): PaymentEvent {
  const members = readObject(text);
  const wrong = Object.entries(RULES).find(([name, holds]) => !holds(members[name]));
  if (wrong !== undefined) throw new InvalidEventError(`The event's ${wrong[0]} is not valid.`);
  return Object.fromEntries(Object.keys(RULES).map((name) => [name, members[name]])) as unknown as PaymentEvent;
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the event in the log.
    throw new InvalidEventError('The event is no JSON.');
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new InvalidEventError('The event is no JSON object.');
}
