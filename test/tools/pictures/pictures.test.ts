import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PICTURES } from '../../../tools/pictures/all.ts';
import { COLOURS, type Colour } from '../../../tools/pictures/svg.ts';

describe('the pictures of docs/pictures', () => {
  it.each(Object.entries(PICTURES))('%s is what `npm run pictures` draws', (name, draw) => {
    expect(readFileSync(new URL(`../../../docs/pictures/${name}`, import.meta.url), 'utf8')).toBe(draw());
  });

  it.each(Object.entries(PICTURES))('%s asks no other host, and says what it shows', (_, draw) => {
    const svg = draw();
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|@import|<script/);
    expect(svg).toMatch(/<title id="title">.+<\/title>\n<desc id="description">.+<\/desc>/);
  });
});

/** WCAG 2.2, "relative luminance". */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

it.each(['light', 'dark'])('their texts can be read in %s (WCAG 2.2, 1.4.3)', (mode) => {
  const index = mode === 'light' ? 0 : 1;
  const texts: readonly Colour[] = ['ink', 'quiet', 'accent', 'good', 'warn', 'bad'];
  for (const back of ['back', 'soft'] as const) {
    for (const name of texts) expect(contrast(COLOURS[name][index], COLOURS[back][index]), name).toBeGreaterThan(4.5);
  }
});
