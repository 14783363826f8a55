import { ACCIDENTS } from './accidents.ts';
import { KILLS } from './kills.ts';
import { PROMISES } from './promises.ts';
import type { Ready } from './ready.ts';

/** All ready schedules. */
export const READY: readonly Ready[] = [...ACCIDENTS, ...PROMISES, ...KILLS];

const BY_ID: ReadonlyMap<string, Ready> = new Map(READY.map((ready) => [ready.id, ready]));

export function readyById(id: string): Ready | undefined {
  return BY_ID.get(id);
}
