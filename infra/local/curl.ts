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
      title: 'Retry, the same request again: the identical 201, nothing is charged',
      command: pay(origin, first, BODY),
    },
    { title: 'Two at once: one 201 and one 409, one charge', command: `(${second} & ${second} & wait)` },
    { title: 'The first key with another amount: 422', command: pay(origin, first, { ...BODY, amount: 500 }) },
  ];
}

/** Prints the response's body and its status on one line, so that two responses are easy to compare. */
function pay(origin: string, key: string, body: object): string {
  return [
    `curl -sS -w ' [%{http_code}]\\n' ${origin}/payments`,
    `-H 'content-type: application/json'`,
    `-H 'idempotency-key: ${key}'`,
    `-d '${JSON.stringify(body)}'`,
  ].join(' ');
}
