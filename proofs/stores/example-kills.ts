import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { balancesOf } from '../../infra/ledger/booking.ts';
import { createPostgresLedgerConsumer } from '../../infra/ledger/postgres-consumer.ts';
import { postgresLedger } from '../../infra/ledger/postgres-ledger.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { sqsRecord } from '../../test/support/event-sources.ts';
import { createContext } from '../../tools/context.ts';
import { type ApiRequest, exampleApi, recordIdOf } from './example-api.ts';
import { runKilled } from './kills.ts';

const PAYER = fileURLToPath(new URL('example-payer.ts', import.meta.url));
const [PAID, REFUNDED] = [1999, 500];
const AT_ONCE = 4;

export const REQUESTS = ['payment', 'refund'] as const;

export interface ExampleKill {
  readonly request: (typeof REQUESTS)[number];
  /** Behind so many sends and answers of statements. */
  readonly place: number;
  /** What is not as it must be. */
  readonly problems: readonly string[];
}

/** What a request has written: each is 0 or 1. */
interface Written {
  /** The payment, or the note that the refund was paid out. */
  readonly effects: number;
  readonly events: number;
  readonly outcomes: number;
}

/** Makes the example's own tables. */
export async function createExampleTables(client: Pick<pg.Client, 'query'>): Promise<void> {
  await client.query(await readFile(new URL('../../infra/postgres/schema.sql', import.meta.url), 'utf8'));
}

/**
 * Kills the payments function of the example at places of a payment and of a refund, and sends each request again. Then the
 * ledger gets every event, twice. `every`: at each second place, for example.
 */
export async function killExample(url: string, every = 1): Promise<ExampleKill[]> {
  const pool = new pg.Pool({ connectionString: url, max: 2 * AT_ONCE });
  const send = exampleApi(pool);
  try {
    const planned: Pick<ExampleKill, 'request' | 'place'>[] = [];
    for (const request of REQUESTS) {
      const { places } = await runKilled(PAYER, [url, JSON.stringify(await prepare(request, randomUUID()))]);
      if (places === 0) throw new Error(`the ${request} did not end, although it was not killed`);
      for (let place = 1; place <= places; place += every) planned.push({ request, place });
    }
    const kills: ExampleKill[] = [];
    const killing = async () => {
      for (let next = planned.shift(); next !== undefined; next = planned.shift()) {
        kills.push({ ...next, problems: await kill(next) });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, killing));
    return kills;
  } finally {
    await pool.end();
  }

  /** `name` is a description by which the payment is found. */
  async function prepare(request: ExampleKill['request'], name: string): Promise<ApiRequest> {
    const body = { amount: PAID, currency: 'EUR', source: 'tok_visa', description: name };
    const payment = { path: '/payments', key: `payment-${name}`, body };
    if (request === 'payment') return payment;
    const { id } = JSON.parse((await send(payment)).body ?? '');
    return { path: `/payments/${id}/refunds`, key: `refund-${name}`, body: { amount: REFUNDED } };
  }

  async function kill({ request, place }: Pick<ExampleKill, 'request' | 'place'>): Promise<string[]> {
    const name = randomUUID();
    const sent = await prepare(request, name);
    const ofProcess = new URL(url);
    ofProcess.searchParams.set('application_name', name);
    await runKilled(PAYER, [ofProcess.href, JSON.stringify(sent), String(place)]);
    await untilGone(pool, name);

    const problems: string[] = [];
    const written = () => writtenBy(pool, request, name, recordIdOf(sent));
    const { effects, events, outcomes } = await written();
    if (effects !== events || events !== outcomes) {
      problems.push(`the kill has left ${effects} effects, ${events} events and ${outcomes} outcomes`);
    }
    // Its lease ends.
    await pool.query("UPDATE idempotency SET lease_until = 1 WHERE id = $1 AND status = 'IN_PROGRESS'", [
      recordIdOf(sent),
    ]);
    const [first, second] = [await send(sent), await send(sent)];
    if (first.statusCode !== 201) problems.push(`the retry was answered with ${first.statusCode}: ${first.body}`);
    if (second.body !== first.body) problems.push(`one retry got ${first.body}, and the next one ${second.body}`);
    const last = JSON.stringify(await written());
    if (last !== JSON.stringify({ effects: 1, events: 1, outcomes: 1 })) problems.push(`at last there are ${last}`);

    const expected = request === 'payment' ? PAID : PAID - REFUNDED;
    const booked = JSON.stringify(await bookTwice(pool, name));
    const right = JSON.stringify({ 'receivable EUR': expected, 'sales EUR': -expected });
    return booked === right ? problems : [...problems, `the ledger has ${booked}, and not ${right}`];
  }
}

/** The server goes on with what it had been sent, until it notices that the process is gone. */
async function untilGone(pool: pg.Pool, name: string): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [name]);
    if (rowCount === 0) return;
  }
}

const EVENTS = `SELECT event FROM outbox JOIN payments ON event::json->>'payment' = payments.id::text
  WHERE notes->>'description' = $1`;

async function writtenBy(
  pool: pg.Pool,
  request: ExampleKill['request'],
  name: string,
  recordId: string | undefined,
): Promise<Written> {
  const effects =
    request === 'payment'
      ? `SELECT count(*) FROM payments WHERE notes->>'description' = $1`
      : `SELECT count(paid_out_at) FROM refunds JOIN payments ON payment = payments.id WHERE notes->>'description' = $1`;
  const { rows } = await pool.query<Written>(
    `SELECT (${effects})::int AS effects,
       (SELECT count(*) FROM (${EVENTS}) AS events WHERE event::json->>'type' = $2)::int AS events,
       (SELECT count(*) FROM idempotency WHERE id = $3 AND status = 'COMPLETED')::int AS outcomes`,
    [name, request === 'payment' ? 'payment-captured' : 'payment-refunded', recordId],
  );
  return rows[0] as Written;
}

/** Delivers the payment's events to the ledger, each twice at once. @returns what the accounts have of the payment */
async function bookTwice(pool: pg.Pool, name: string): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ readonly event: string }>(EVENTS, [name]);
  const consume = createPostgresLedgerConsumer({ store: postgresStore({ client: pool, lockTimeoutMillis: 10_000 }) });
  for (const { event } of rows) {
    const context = createContext(randomUUID(), { functionName: 'ledger', timeoutMillis: 30_000 });
    await consume({ Records: [sqsRecord(event), sqsRecord(event)] }, context);
  }
  const payments = rows.map(({ event }) => JSON.parse(event).payment);
  return balancesOf((await postgresLedger(pool).read()).filter(({ payment }) => payments.includes(payment)));
}
