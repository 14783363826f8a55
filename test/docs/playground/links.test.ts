import { expect, it } from 'vitest';
import { readyById } from '../../../docs/playground/schedules/index.ts';
import { PAGES, page } from '../../support/pages.ts';

it.each(PAGES.filter((path) => page(path).includes('playground.md#')))(
  '%s links to schedules that are ready',
  (path) => {
    const ids = [...page(path).matchAll(/playground\.md#([\w-]+)/g)].map(([, id = '']) => id);
    expect(ids.filter((id) => readyById(id) === undefined)).toEqual([]);
  },
);

it('the page of the playground names schedules that are ready', () => {
  const ids = [...page('docs/playground.md').matchAll(/`([a-z][a-z0-9-]*)`/g)].map(([, id = '']) => id);
  expect(ids.filter((id) => readyById(id) === undefined)).toEqual([]);
});
