import { expect, it } from 'vitest';
import { mergePatch } from '../../infra/payments/merge-patch.ts';

it.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merges as in RFC 7396, appendix A: %j and %j', (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});

it('makes a member of __proto__, not a prototype', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"admin":true}}'));
  expect(Object.keys(merged as object)).toEqual(['__proto__']);
  expect((merged as { admin?: unknown }).admin).toBeUndefined();
});
