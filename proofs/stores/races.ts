import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { storeAt } from './clients.ts';
import type { Finish, Race } from './racer.ts';

const RACER = fileURLToPath(new URL('racer.ts', import.meta.url));

/** What went wrong, a line each; none where every race had one winner, every loser met its record, and it stayed as it was. */
export async function race(url: string, racers: number, rounds: number): Promise<string[]> {
  const children = Array.from({ length: racers }, () => fork(RACER, [url]));
  const problems: string[] = [];
  const { store, close } = storeAt(url);
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    for (let round = 0; round < rounds; round++) {
      const id = `race#${randomUUID()}`;
      const first = await one(children, { id, attempt: 1 });
      problems.push(...judge(first, await store.read(id)));
      const [winner] = first.filter(({ isDone }) => isDone);
      if (winner === undefined) continue;
      const { owner, status, leaseUntil } = winner.record;
      const second = await one(children, { id, attempt: 2, expected: { owner, status, leaseUntil } });
      problems.push(...judge(second, await store.read(id)));
    }
  } finally {
    for (const child of children) child.disconnect();
    await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
    await close();
  }
  return problems;
}

async function one(children: readonly ChildProcess[], told: Race): Promise<Finish[]> {
  const answers = children.map((child) => once(child, 'message'));
  for (const child of children) child.send(told);
  return (await Promise.all(answers)).map(([finish]) => finish as Finish);
}

function judge(finishes: readonly Finish[], left: unknown): string[] {
  const winners = finishes.filter(({ isDone }) => isDone);
  const [winner] = winners;
  if (winner === undefined || winners.length > 1) return [`${winners.length} winners`];
  const wrong = finishes.filter(({ isDone, met }) => !isDone && !isDeepStrictEqual(met, winner.record));
  const problems = wrong.map(({ met }) => `a loser met ${JSON.stringify(met)}, and not the record of the winner`);
  return isDeepStrictEqual(left, winner.record) ? problems : [...problems, 'the record is not the one of the winner'];
}
