import { hero } from './hero.ts';
import { outbox } from './outbox.ts';
import { recordStates } from './record-states.ts';

/** The pictures of `docs/pictures` by the name of their file. */
export const PICTURES: Readonly<Record<string, () => string>> = {
  'hero.svg': hero,
  'record-states.svg': recordStates,
  'outbox.svg': outbox,
};
