import { expect, it } from 'vitest';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import { ProcessorKeyReusedError, ProcessorUnreachableError } from '../../infra/payments/processor.ts';

const REQUEST = { amount: 1999, currency: 'EUR', source: 'tok_visa', capture: true };

it('makes one charge for a key, however often it is asked', async () => {
  const processor = fakeProcessor();
  const [first, second] = await Promise.all([processor.charge(REQUEST, 'key'), processor.charge(REQUEST, 'key')]);
  expect(second).toEqual(first);
  expect(await processor.charge(REQUEST, 'key')).toEqual(first);
  expect(await processor.charge(REQUEST, 'another key')).not.toEqual(first);
});

it('counts the charges that it made: neither repetitions, nor declined ones, nor refused ones', async () => {
  const processor = fakeProcessor();
  await processor.charge(REQUEST, 'key');
  await processor.charge(REQUEST, 'key');
  await processor.charge({ ...REQUEST, source: 'tok_declined' }, 'declined');
  await processor.charge({ ...REQUEST, amount: 1 }, 'key').catch(() => undefined);
  await processor.charge({ ...REQUEST, source: 'tok_unreachable' }, 'lost').catch(() => undefined);
  expect(processor.charges).toBe(1);
});

it('refuses a key that comes again with another request', async () => {
  const processor = fakeProcessor();
  await processor.charge(REQUEST, 'key');
  await expect(processor.charge({ ...REQUEST, amount: 1 }, 'key')).rejects.toThrow(ProcessorKeyReusedError);
  await expect(processor.charge({ ...REQUEST, capture: false }, 'key')).rejects.toThrow(ProcessorKeyReusedError);
  await expect(processor.refund('ch_1', 1, 'key')).rejects.toThrow(ProcessorKeyReusedError);
});

it('authorizes when it is not to capture', async () => {
  const charge = await fakeProcessor().charge({ ...REQUEST, capture: false }, 'key');
  expect(charge.status).toBe('authorized');
});

it('gives the same payout and the same release for a key', async () => {
  const processor = fakeProcessor();
  await processor.refund('ch_1', 500, 'refund');
  await processor.refund('ch_1', 500, 'refund');
  await expect(processor.refund('ch_1', 501, 'refund')).rejects.toThrow(ProcessorKeyReusedError);
  await processor.release('ch_1', 'release');
  await processor.release('ch_1', 'release');
  await expect(processor.release('ch_2', 'release')).rejects.toThrow(ProcessorKeyReusedError);
});

it('keeps the charge that a caller did not wait for', async () => {
  const processor = fakeProcessor({ latencyMillis: 5 });
  const impatient = new AbortController();
  const aborted = processor.charge(REQUEST, 'key', impatient.signal);
  impatient.abort();
  await expect(aborted).rejects.toThrow('aborted');
  await expect(processor.charge({ ...REQUEST, amount: 1 }, 'key')).rejects.toThrow('used before');
});

it('declines tok_declined, for ever', async () => {
  const processor = fakeProcessor();
  const declined = await processor.charge({ ...REQUEST, source: 'tok_declined' }, 'key');
  expect(declined.status).toBe('declined');
  expect(await processor.charge({ ...REQUEST, source: 'tok_declined' }, 'key')).toEqual(declined);
});

it('cannot be reached with tok_unreachable', async () => {
  const answer = fakeProcessor().charge({ ...REQUEST, source: 'tok_unreachable' }, 'key');
  await expect(answer).rejects.toThrow(ProcessorUnreachableError);
});
