import { dynamoDBStore, type OutcomeCodec } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { type Body, handling, useExecutions } from '../support/execution-harness.ts';
import { crashing, deferred, newOrder, type Order, thrownBy } from '../support/harness.ts';

const { guards } = useExecutions();

const STEPS = 20;
const DUPLICATES = 10;

function countingCodec() {
  const decode = vi.fn<OutcomeCodec['decode']>((bytes) => bytes);
  return { name: 'counting', encode: (bytes: Uint8Array) => bytes, decode };
}

/** A run of many steps that does not end before `whileRunning` has. */
async function beside(codec: OutcomeCodec, whileRunning: (order: Order) => Promise<void>) {
  const [stepsDone, gate] = [deferred(), deferred()];
  const body: Body = async ({ step }) => {
    for (let index = 0; index < STEPS; index++) await step(`step ${index}`, () => index);
    stepsDone.resolve();
    await gate.promise;
    return 'done';
  };
  const options = { store: dynamoDBStore({ ...guards.table, codec }) };
  const order = newOrder();
  const first = guards.guarded({ handler: handling(body), options })(order);
  await stepsDone.promise;
  await whileRunning(order);
  gate.resolve();
  expect(await first).toBe('done');
}

describe('I16 a duplicate decodes no checkpoint of the execution that it meets', () => {
  it('when it is refused as IN_FLIGHT', async () => {
    const codec = countingCodec();
    const options = { store: dynamoDBStore({ ...guards.table, codec }) };
    await beside(codec, async (order) => {
      const call = guards.guarded({ handler: async () => 'executed again', options });
      const errors = await Promise.all(Array.from({ length: DUPLICATES }, () => thrownBy(call(order))));
      for (const error of errors) expect(error).toMatchObject({ code: 'IN_FLIGHT' });
      expect(codec.decode).not.toHaveBeenCalled();
    });
  });

  it('when it is refused as KEY_REUSED', async () => {
    const codec = countingCodec();
    const options = { store: dynamoDBStore({ ...guards.table, codec }), fingerprint: 'amount' };
    const started = deferred();
    const order = newOrder();
    const body: Body = async ({ step }) => {
      await step('charge', () => 'ch_1');
      return crashing(() => started.resolve())(order, {} as never);
    };
    void guards.guarded({ handler: handling(body), options })(order);
    await started.promise;
    const call = guards.guarded({ handler: async () => 'executed again', options });
    expect(await thrownBy(call({ ...order, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
    expect(codec.decode).not.toHaveBeenCalled();
  });

  it('and is refused as IN_FLIGHT also when the key of the codec is disabled', async () => {
    const codec = countingCodec();
    const disabled = { ...codec, decode: () => Promise.reject(new Error('the key is disabled')) };
    await beside(codec, async (order) => {
      const options = { store: dynamoDBStore({ ...guards.table, codec: disabled }) };
      const call = guards.guarded({ handler: async () => 'executed again', options });
      expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT', statusCode: 409 });
    });
  });

  it('but a takeover decodes each once, and is refused when it cannot', async () => {
    const codec = countingCodec();
    const started = deferred();
    const order = newOrder();
    const body: Body = async ({ step }) => {
      for (let index = 0; index < STEPS; index++) await step(`step ${index}`, () => index);
      return crashing(() => started.resolve())(order, {} as never);
    };
    const options = { store: dynamoDBStore({ ...guards.table, codec }) };
    void guards.guarded({ handler: handling(body), options })(order);
    await started.promise;
    guards.clock.advance(32_000);
    const disabled = { ...codec, decode: () => Promise.reject(new Error('the key is disabled')) };
    const refused = guards.guarded({
      handler: async () => 'executed again',
      options: { store: dynamoDBStore({ ...guards.table, codec: disabled }) },
    });
    expect(await thrownBy(refused(order))).toMatchObject({ code: 'RECORD_INVALID' });
    const effect = vi.fn();
    const successor = guards.guarded({ handler: handling(({ step }) => step('step 0', effect)), options });
    expect(await successor(order)).toBe(0);
    expect(effect).not.toHaveBeenCalled();
    expect(codec.decode).toHaveBeenCalledTimes(STEPS);
  });
});
