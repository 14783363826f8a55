import { mkdirSync, writeFileSync } from 'node:fs';
import { PICTURES } from './all.ts';

/** `npm run pictures`: draws the pictures of the documentation. A test checks that they are up to date. */
const folder = new URL('../../docs/pictures/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, draw] of Object.entries(PICTURES)) writeFileSync(new URL(name, folder), draw());
console.log(`${Object.keys(PICTURES).length} pictures in docs/pictures`);
