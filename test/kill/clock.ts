import type { Clock } from './terms.ts';

const realNow = Date.now;

/** Sets the clock of this process, as if its host's were so: from now on it stands, or goes on from there. */
export function setClock({ at, stands = false }: Clock): void {
  if (at === undefined) {
    Date.now = realNow;
    return;
  }
  const since = performance.now();
  Date.now = () => (stands ? at : Math.floor(at + performance.now() - since));
}
