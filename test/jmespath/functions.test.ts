import { jmespath } from 'middy-idempotency/jmespath';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/request-key/identify.ts';
import { resolveRequestOptions } from '../../src/request-key/request-options.ts';

const idOf = (key: string, event: unknown) =>
  identify(resolveRequestOptions({ key: jmespath(key) }), 'pay', [event])?.id;
const fingerprintOf = (fingerprint: string, event: object) =>
  identify(resolveRequestOptions({ key: 'id', fingerprint: jmespath(fingerprint) }), 'pay', [{ id: 1, ...event }])
    ?.fingerprint;

describe('two requests that differ never look alike', () => {
  it.each([
    ['map(&amount, items)', { items: [{ amount: 0 }] }, { items: [{ amount: false }] }],
    ['map(&amount, items)', { items: [{ amount: 0 }, { amount: 1 }] }, { items: [{ amount: '' }, { amount: 1 }] }],
    ['[id, not_null(amount)]', { amount: 0 }, { amount: false }],
    ['[id, not_null(missing, amount)]', { amount: 0 }, { amount: '' }],
    ['[id, to_number(amount)]', { amount: '' }, { amount: '0' }],
    ['[id, to_number(amount)]', { amount: '0x10' }, { amount: '16' }],
  ])('by %s, for %j and %j', (expression, one, other) => {
    expect(fingerprintOf(expression, one)).not.toBe(fingerprintOf(expression, other));
  });

  it.each([
    ['map(&id, items)', { items: [{ id: 0 }] }],
    ['not_null(missing, id)', { id: 0 }],
    ['not_null(missing, id)', { id: false }],
    ['to_number(id)', { id: '0' }],
    ['to_number(id)', { id: '-1.5e2' }],
  ])('0 and false are keys, by %s for %j', (key, event) => {
    expect(idOf(key, event)).toMatch(/^pay#/);
  });

  it.each([
    ['not_null(missing, id)', { id: null }],
    ['map(&id, items)', { items: [{}] }],
    ['to_number(id)', { id: '' }],
    ['to_number(id)', { id: ' ' }],
    ['to_number(id)', { id: 'Infinity' }],
  ])('what is not there is missing, by %s for %j', (key, event) => {
    expect(() => idOf(key, event)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  });

  it('a wrong number of arguments still fails the deployment', () => {
    for (const key of ['map(items)', 'not_null()', 'to_number(a, b)', 'sort()', 'reverse()']) {
      expect(() => idOf(key, {})).toThrow(TypeError);
    }
  });

  it.each(['map(&id, name)', 'map(name, items)', 'sort(name)', 'reverse(id)'])(
    '%s of the wrong type is KEY_INVALID',
    (key) => {
      expect(() => idOf(key, { id: 1, name: 'n', items: [1] })).toThrow(
        expect.objectContaining({ code: 'KEY_INVALID' }),
      );
    },
  );
});

describe('what is selected is what is there', () => {
  it.each([
    ['map(&id, items)', { items: [{ id: 'a' }, { id: 7 }, { id: false }] }, ['a', 7, false]],
    ['map(&id, items)', { items: [{ id: 'a' }, { id: 'b' }] }, ['a', 'b']],
    ['to_number(id)', { id: 5 }, 5],
    ['to_number(id)', { id: '12.25' }, 12.25],
    ['to_number(id)', { id: '1e10' }, 1e10],
    ['to_number(id)', { id: '2.5E+3' }, 2500],
    ['to_number(id)', { id: '2.5e-12' }, 2.5e-12],
    ['powertools_json(id)', { id: '[1, "a"]' }, [1, 'a']],
  ])('by %s, of %j', (key, event, selected) => {
    expect(idOf(key, event)).toBe(idOf('id', { id: selected }));
  });

  it.each([
    ['"my constructor"', { 'my constructor': 'a' }],
    ['"a \\"toString\\" b"', { 'a "toString" b': 'a' }],
    ['[not_null("my constructor", id)]', { 'my constructor': 'a' }],
    ['[not_null("a \\"toString\\" b", id)]', { 'a "toString" b': 'a' }],
    ['[not_null("upper(x", id)]', { 'upper(x': 'a' }],
    ['[not_null("upper(\\"x", id)]', { 'upper("x': 'a' }],
  ])('by a quoted name that looks like something else: %s', (key, event) => {
    expect(idOf(key, event)).toMatch(/^pay#/);
  });
});

describe('an expression changes nothing of the event', () => {
  it.each(['sort(ids)', 'reverse(ids)', 'sort(to_array(ids))', 'reverse(nested.ids)', '[sort(ids), ids]'])(
    '%s',
    (key) => {
      const event = { ids: ['b', 'c', 'a'], nested: { ids: [1, 3, 2] } };
      idOf(key, event);
      expect(event).toEqual({ ids: ['b', 'c', 'a'], nested: { ids: [1, 3, 2] } });
    },
  );

  it('and still sorts and reverses', () => {
    expect(idOf('sort(ids)', { ids: ['b', 'a'] })).toBe(idOf('ids', { ids: ['a', 'b'] }));
    expect(idOf('reverse(ids)', { ids: ['b', 'a'] })).toBe(idOf('ids', { ids: ['a', 'b'] }));
    expect(idOf('reverse(id)', { id: 'ab' })).toBe(idOf('id', { id: 'ba' }));
  });
});

describe('what every object inherits is not selected', () => {
  const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '"__proto__"', '__defineGetter__'];

  it.each(INHERITED)('%s is missing', (name) => {
    for (const key of [name, `order.${name}`, `powertools_json(body).${name}`]) {
      const event = { order: {}, body: '{}' };
      expect(() => idOf(key, event), key).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
    }
  });

  it.each(['constructor', '"__proto__"'])('but %s is, where a request has it', (name) => {
    const event = JSON.parse(`{"order":{"${name.replaceAll('"', '')}":"o-1"}}`);
    expect(idOf(`order.${name}`, event)).toBe(idOf('id', { id: 'o-1' }));
  });

  it.each(['constructor || id', 'not_null(toString, id)', 'items[].constructor', "items[?valueOf == 'x']"])(
    '%s is refused at construction',
    (key) => {
      expect(() => idOf(key, {})).toThrow(/^middy-idempotency: `.*` has a name that every object has/);
    },
  );

  it.each([`['constructor', id]`, '[`"constructor"`, id]', 'not_null(constructors, id)'])('%s is not', (key) => {
    expect(() => idOf(key, { id: 1 })).not.toThrow();
  });

  it('a getter of a class of the user is selected, as before', () => {
    class Order {
      get id() {
        return 'o-1';
      }
    }
    expect(idOf('id', new Order())).toBe(idOf('id', { id: 'o-1' }));
  });
});
