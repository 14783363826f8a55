import { describe, expect, it, vi } from 'vitest';
import { httpFormat } from '../../src/http/format.ts';
import { readRequest } from '../../src/http/request.ts';
import { SHAPES } from '../support/http-events.ts';

const DROPPED = new Set(['date', 'set-cookie']);
const returned = (value: unknown) => ({ kind: 'returned', value }) as const;

describe.each(SHAPES)('behind $name', ({ event }) => {
  const request = readRequest(event({ method: 'POST', headers: [], body: '' }));
  const format = httpFormat(request, DROPPED);

  it.each([
    ['a response', { statusCode: 201, headers: { A: '1' }, body: '{}' }],
    [
      'a response with headers that a replay does not repeat',
      { statusCode: 201, headers: { Date: 'now' }, body: '{}' },
    ],
    ['lists that are null', { statusCode: 201, multiValueHeaders: null, cookies: ['a=1'] }],
    ['a text', 'done'],
    ['null', null],
    ['nothing', undefined],
  ])('the first caller gets what the handler has answered: %s', (_, value) => {
    expect(format.encode(returned(value)).outcome).toEqual(returned(value));
  });

  it('encodes a response once where nothing of it is left out', () => {
    const stringify = vi.spyOn(JSON, 'stringify');
    format.encode(returned({ statusCode: 201, headers: { A: '1' }, body: '{}' }));
    expect(stringify).toHaveBeenCalledTimes(1);
    stringify.mockRestore();
  });

  it('gives the first caller an object that no other code can change', () => {
    const response = { statusCode: 201, headers: { Date: 'now' }, body: '{}' };
    const { outcome } = format.encode(returned(response));
    response.body = 'changed';
    expect(outcome).toEqual(returned({ statusCode: 201, headers: { Date: 'now' }, body: '{}' }));
  });
});
