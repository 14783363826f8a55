import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BREAKS } from './broken.ts';

const source = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe('npm run test:breaks', () => {
  it.each(BREAKS)('can still break the sources: $name', ({ edits }) => {
    const texts = new Map<string, string>();
    for (const { file, find, put } of edits) {
      const parts = (texts.get(file) ?? source(file)).split(find);
      expect(parts, `${file} has exactly once: ${find}`).toHaveLength(2);
      texts.set(file, parts.join(put));
    }
  });
});
