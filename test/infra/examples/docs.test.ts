import { expect, it } from 'vitest';
import { page } from '../../support/pages.ts';

it.each([
  ['payment-in-steps', 'steps-and-transactions'],
  ['shipping-consumer', 'queue-consumers'],
  ['order-outbox', 'outbox'],
  ['order-saga', 'saga'],
])('the whole of infra/examples/%s.ts is in the recipe %s, as it is', (name, recipe) => {
  const block = `\`\`\`ts\n${page(`infra/examples/${name}.ts`)}\`\`\``;
  expect(page(`docs/recipes/${recipe}.md`).includes(block)).toBe(true);
});
