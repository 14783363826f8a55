import { depthOf, type LocalQueue } from '../../tools/queues.ts';
import { balancesOf, type LedgerReader, trialBalance } from '../ledger/booking.ts';
import type { LambdaFunction } from './server.ts';

/** The API, and `GET /ledger` beside it: on this machine only, to look at what has become of the payments. */
export function withLedger(payments: LambdaFunction, ledger: LedgerReader, queue: LocalQueue): LambdaFunction {
  return async (event, context) => {
    const isLedger = event.rawPath === '/ledger' && event.requestContext.http.method === 'GET';
    return isLedger ? show(ledger, queue) : payments(event, context);
  };
}

async function show(ledger: LedgerReader, queue: LocalQueue) {
  const entries = await ledger.read();
  const page = {
    balances: balancesOf(entries),
    sum: trialBalance(entries),
    entries: entries.toSorted((a, b) => (a.occurredAt + a.entry < b.occurredAt + b.entry ? -1 : 1)),
    queue: await depthOf(queue, queue.url),
    deadLetters: await depthOf(queue, queue.deadLetterUrl),
  };
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: `${JSON.stringify(page, undefined, 2)}\n`,
  };
}
