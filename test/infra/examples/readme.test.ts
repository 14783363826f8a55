import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

it.each(['payment-in-steps', 'shipping-consumer', 'order-outbox', 'order-saga'])(
  'the README has the whole of infra/examples/%s.ts, as it is',
  (name) => {
    const block = `\`\`\`ts\n${read(`infra/examples/${name}.ts`)}\`\`\``;
    expect(read('README.md').includes(block)).toBe(true);
  },
);
