import { randomUUID } from 'node:crypto';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { idempotency } from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { checkIdempotency } from 'middy-idempotency/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { useTable } from '../support/table.ts';

interface Order {
  readonly id: string;
  readonly amount: number;
}
type Work = (order: Order, charge: (order: Order) => Promise<unknown>) => Promise<unknown>;

const table = useTable();

/** Each run has keys of its own: the table keeps its records. */
const effects = () => ({
  store: table.client,
  processor: { charge: async ({ id }: Order) => ({ charge: `ch_${id}` }) },
  run: { keyPrefix: randomUUID() },
});
type Ports = ReturnType<typeof effects>;

type Peers = ConstructorParameters<typeof IdempotencyConfig>[0];

const peerOptions = ({ store, run }: Ports, settings: Peers) => ({
  persistenceStore: new DynamoDBPersistenceLayer({ tableName: table.tableName, awsSdkV3Client: store }),
  config: new IdempotencyConfig({ eventKeyJmesPath: 'id', ...settings }),
  ...run,
});

/** Guarded by the peer's middleware. */
const peers =
  (work: Work, settings: Peers = {}) =>
  (ports: Ports) =>
    middy<Order>()
      .use(makeHandlerIdempotent(peerOptions(ports, settings)))
      .handler(async (order) => work(order, ports.processor.charge));

/** Guarded by the peer's wrapper of functions. */
const peersFunction =
  (work: Work, settings: Peers = {}) =>
  (ports: Ports) =>
    makeIdempotent(
      async (order: Order, _context: Context) => work(order, ports.processor.charge),
      peerOptions(ports, settings),
    );

/** Guarded by this package, in the same table. */
const ours =
  (work: Work, settings: { readonly retentionSeconds?: number } = {}) =>
  ({ store, processor, run }: Ports) =>
    middy<Order>()
      .use(
        idempotency<Order, TransactionItem>({
          store: dynamoDBStore({ ...table, client: store }),
          key: 'id',
          operation: run.keyPrefix,
          ...settings,
        }),
      )
      .handler(async (order) => work(order, processor.charge));

const event: Order = { id: '4711', amount: 10 };

/** All schedules that lead to a finding. */
async function schedules(
  handler: (ports: Ports) => (event: Order, context: Context) => Promise<unknown>,
): Promise<readonly string[]> {
  const { findings } = await checkIdempotency({ handler, event, effects });
  return findings.flatMap(({ problem, seenAt }) =>
    seenAt.map(({ place, fault }) => `${problem}: ${fault} at ${place}`),
  );
}

const charging: Work = (order, charge) => charge(order);
const changing: Work = async (order, charge) => {
  const charged = await charge(order);
  Object.assign(order, { id: 'changed' });
  return charged;
};

/** The effect has happened, and its outcome is not stored: a crash, a lost answer, a store that is down, or a late process. */
const WINDOW = [
  'repeated: crash-after at processor.charge',
  'repeated: crash-before at store.PutItem (2)',
  'repeated: error-applied at processor.charge',
  'repeated: outage at store.PutItem (2)',
  'repeated: timeout at processor.charge',
  'repeated: zombie at processor.charge',
  'repeated: zombie at store.PutItem (2)',
  'repeated: zombie-error at store.PutItem (2)',
];

describe('of this package, the check finds', () => {
  it('exactly the documented window, where an effect has no key', async () =>
    expect([...(await schedules(ours(charging)))].sort()).toEqual(WINDOW));

  it('the same where the handler changes its event', async () =>
    expect([...(await schedules(ours(changing)))].sort()).toEqual(WINDOW));
});

/** Reported publicly in 2026, and there in version 2.35.0. */
describe('of the peer, the check finds', () => {
  let found: readonly string[] = [];
  beforeAll(async () => {
    found = await schedules(peers(charging));
  });

  it('that a rejected duplicate deletes the live record', () =>
    expect(found).toContain('repeated: duplicate-after at processor.charge'));

  it('that a failure of the store after success frees the request', () =>
    expect(found).toContain('repeated: error-not-applied at store.UpdateItem'));

  it('that a late failure deletes the record of the successor', () =>
    expect(found).toContain('repeated: zombie-error at processor.charge'));

  it('that a changed event changes the key', async () =>
    expect(await schedules(peers(changing))).toContain('repeated: none at '));

  it('that a takeover overwrites a live record, once its retention has passed', async () => {
    const late = 'repeated: duplicate-late at processor.charge';
    expect(await schedules(peersFunction(charging))).not.toContain(late);
    expect(await schedules(peersFunction(charging, { expiresAfterSeconds: 10 }))).toContain(late);
    expect(await schedules(ours(charging, { retentionSeconds: 10 }))).not.toContain(late);
  });
});
