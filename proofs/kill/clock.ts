import type { Clock } from './terms.ts';

const realNow = Date.now;

/** Sets the clock of this process, as if its host's were so. */
export function setClock({ at, goes }: Clock): void {
  if (at === undefined) {
    Date.now = realNow;
    return;
  }
  const since = performance.now();
  Date.now = goes === undefined ? () => Math.floor(at + performance.now() - since) : () => at;
}
