const FLIGHT_MILLIS = 350;

export type Places = ReadonlyMap<string, DOMRect>;

/** Where each message is on the screen. */
export function placesOf(body: HTMLElement): Places {
  const chips = [...body.querySelectorAll<HTMLElement>('[data-chip]')];
  return new Map(chips.map((chip) => [chip.dataset['chip'] ?? '', chip.getBoundingClientRect()]));
}

const isStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Brings the row of a request into view, if it is not. */
export function showLane(body: HTMLElement, lane: number): void {
  const row = body.querySelector(`[data-lane="${lane}"]`);
  row?.scrollIntoView({ block: 'nearest', behavior: isStill() ? 'instant' : 'smooth' });
}

/** Lets each message move from where it was, unless the reader wants no motion. */
export function flyFrom(body: HTMLElement, places: Places): void {
  if (isStill()) return;
  for (const chip of body.querySelectorAll<HTMLElement>('[data-chip]')) {
    const before = places.get(chip.dataset['chip'] ?? '');
    const after = chip.getBoundingClientRect();
    const from =
      before === undefined ? 'translateX(-30px)' : `translate(${before.x - after.x}px, ${before.y - after.y}px)`;
    chip.animate([{ transform: from, opacity: before === undefined ? 0 : 1 }, {}], {
      duration: FLIGHT_MILLIS,
      easing: 'ease-out',
    });
  }
}
