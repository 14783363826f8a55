import type { IdempotencyEventType } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler } from '../../infra/payments/api.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import { dynamoDBPayments, type Payments } from '../../infra/payments/payments.ts';
import type { Processor } from '../../infra/payments/processor.ts';
import { useTable } from '../support/table.ts';
import { client } from './requests.ts';

export interface PaymentsApiOptions {
  /** Runs in front of every charge. */
  readonly before?: () => Promise<void>;
  /** In place of writing to the payments table. */
  readonly save?: Payments['save'];
}

/** For a test file: makes payments APIs on two tables of DynamoDB Local, each with a processor that counts. */
export function usePaymentsApi() {
  const idempotencyTable = useTable();
  const paymentsTable = useTable();

  return ({ before = async () => undefined, save }: PaymentsApiOptions = {}) => {
    const real = fakeProcessor();
    const chargeKeys: string[] = [];
    const events: IdempotencyEventType[] = [];
    const processor: Processor = {
      async charge(request, key, signal) {
        chargeKeys.push(key);
        await before();
        return real.charge(request, key, signal);
      },
    };
    const payments = dynamoDBPayments(paymentsTable);
    const handler = createPaymentsHandler({
      store: dynamoDBStore(idempotencyTable),
      payments: save === undefined ? payments : { ...payments, save },
      processor,
      onEvent: ({ type }) => events.push(type),
    });
    return { send: client(handler), chargeKeys, events, payments };
  };
}
