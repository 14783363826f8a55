import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { expectIdempotent } from 'middy-idempotency/testing';
import { beforeAll, expect, it, vi } from 'vitest';
import { createPaymentsHandler, type PaymentsOptions } from '../../infra/payments/api.ts';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import { useTable } from '../support/table.ts';
import { httpEvent } from './requests.ts';

const [records, payments] = [useTable(), useTable()];

const handler = <Item>(ports: Pick<PaymentsOptions<Item>, 'store' | 'payments' | 'processor'>) =>
  createPaymentsHandler({ ...ports, scope: 'anonymous', onEvent: () => undefined });

beforeAll(() => void vi.spyOn(process.stdout, 'write').mockReturnValue(true));

async function empty({ tableName, client }: typeof records): Promise<void> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tableName, ProjectionExpression: 'id' }));
  const documents = DynamoDBDocumentClient.from(client);
  for (const { id } of Items) await documents.send(new DeleteCommand({ TableName: tableName, Key: { id: id?.S } }));
}

it('every single fault at every call of DynamoDB leaves the creation of a payment right', {
  timeout: 120_000,
}, async () => {
  const effects = async () => {
    await Promise.all([empty(records), empty(payments)]);
    return { store: dynamoDBStore(records), payments: dynamoDBPayments(payments), processor: fakeProcessor() };
  };
  const report = await expectIdempotent({ handler, event: httpEvent({ key: '"create-1"' }), effects });
  expect(report.places).toEqual(['store.insert', 'payments.find', 'processor.charge', 'store.transact']);
});
