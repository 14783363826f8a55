import { randomUUID } from 'node:crypto';
import { recordId } from 'middy-idempotency/operator';

/** A command for the shell, and what to expect of it. */
export interface Example {
  readonly title: string;
  readonly command: string;
}

const BODY = { amount: 1999, currency: 'EUR', source: 'tok_visa' };

/** Four commands that show the promises, to be pasted in this order. `name` makes their idempotency keys unique. */
export function examples(origin: string, name: string): readonly Example[] {
  const first = `${name}-a`;
  const second = pay(origin, `${name}-b`, BODY);
  return [
    { title: 'Pay: 201', command: pay(origin, first, BODY) },
    {
      title: 'Retry, the same request again: the identical 201, with Idempotent-Replayed: true; nothing is charged',
      command: show(payment(origin, first, BODY)),
    },
    { title: 'Two at once: one 201 and one 409, one charge', command: `(${second} & ${second} & wait)` },
    { title: 'The first key with another amount: 422', command: pay(origin, first, { ...BODY, amount: 500 }) },
  ];
}

/** Shows the record of the first key, by a command of the database. */
export function recordExample(name: string, show: (recordId: string) => string): Example {
  return {
    title: 'The record of the first key, from this folder: COMPLETED',
    command: show(paymentRecordId(`${name}-a`) ?? ''),
  };
}

/** The id of a payment's record. The runner serves anonymous callers. @throws IdempotencyError for a malformed key */
export function paymentRecordId(idempotencyKey: string): string | undefined {
  return recordId({
    operation: 'create-payment',
    http: { scope: 'anonymous' },
    event: { headers: { 'idempotency-key': idempotencyKey }, requestContext: { http: { method: 'POST' } } },
  });
}

/** Shows what the payments have become behind the API. */
export function ledgerExample(origin: string): Example {
  return { title: 'The ledger: every payment is booked once, the sum is 0', command: `curl -sS ${origin}/ledger` };
}

/**
 * Commands for the rest of the API, to be pasted after those and in this order. The first one keeps the address of the
 * payment in a variable of the shell.
 */
export function moreExamples(origin: string, name: string): readonly Example[] {
  const refund = (key: string, amount: number) =>
    show('-X POST', '"$PAYMENT/refunds"', header('idempotency-key', `${name}-${key}`), data({ amount }));
  const patch = (ifMatch: string, metadata: object) =>
    show('-X PATCH', '"$PAYMENT"', header('if-match', ifMatch), data({ metadata }));
  const own = `${origin}/payments/${randomUUID()}`;
  const put = show('-X PUT', own, header('if-none-match', '*'), data(BODY));
  const remove = show('-X DELETE', own);
  return [
    {
      title: 'Retry once more, and keep where the payment is',
      command: `PAYMENT=${origin}$(${replayHead(origin, `${name}-a`)})`,
    },
    { title: 'The payment and its ETag: 200', command: show('"$PAYMENT"') },
    { title: 'Has it changed? No: 304', command: show('"$PAYMENT"', header('if-none-match', '"v1"')) },
    { title: 'Refund EUR 5.00: 201', command: refund('refund', 500) },
    {
      title: 'Retry the refund: the identical 201, Idempotent-Replayed, nothing is refunded',
      command: refund('refund', 500),
    },
    { title: 'Refund EUR 15.00 of the EUR 14.99 that are left: 409', command: refund('more', 1500) },
    { title: 'Change metadata with the ETag of before the refund: 412', command: patch('"v1"', { order: '4711' }) },
    { title: 'With the ETag of now: 200', command: patch('"v2"', { order: '4711' }) },
    { title: 'Authorize a payment under your own id: 201', command: put },
    { title: 'Again, without a key to be recognised by: 412', command: put },
    { title: 'Void it: 204', command: remove },
    { title: 'Void it again: 204', command: remove },
  ];
}

/** Prints the response's body and its status on one line, so that two responses are easy to compare. */
function pay(origin: string, key: string, body: object): string {
  return `curl -sS ${STATUS} ${payment(origin, key, body)}`;
}

/** Prints the response's head, too. */
function show(...parts: readonly string[]): string {
  return ['curl -sS -i', STATUS, ...parts].join(' ');
}

function replayHead(origin: string, key: string): string {
  return `curl -sS -o /dev/null -D - ${payment(origin, key, BODY)} | tr -d '\\r' | sed -n 's/^location: //p'`;
}

function payment(origin: string, key: string, body: object): string {
  return [`${origin}/payments`, header('idempotency-key', key), data(body)].join(' ');
}

const STATUS = "-w ' [%{http_code}]\\n'";

function data(body: object): string {
  return `${header('content-type', 'application/json')} -d '${JSON.stringify(body)}'`;
}

function header(name: string, value: string): string {
  return `-H '${name}: ${value}'`;
}
