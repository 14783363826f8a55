import type { Stryker } from '@stryker-mutator/core';

type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

export interface Score {
  readonly folder: string;
  readonly mutants: number;
  /** By a test that failed, or one that did not end any more. */
  readonly killed: number;
  readonly survived: number;
  /** Equivalent to the original, with the reason in the source. */
  readonly equivalent: number;
  readonly percent: number;
}

export function scoreOf(folder: string, results: readonly MutantResult[]): Score {
  const count = (...statuses: MutantResult['status'][]) =>
    results.filter(({ status }) => statuses.includes(status)).length;
  const killed = count('Killed', 'Timeout');
  const survived = count('Survived', 'NoCoverage');
  return {
    folder,
    mutants: results.length,
    killed,
    survived,
    equivalent: count('Ignored'),
    percent: (100 * killed) / Math.max(1, killed + survived),
  };
}

export function table(scores: readonly Score[]): string {
  const rows = scores.map(({ folder, mutants, killed, survived, equivalent, percent }) =>
    [`src/${folder}`, mutants, killed, survived, equivalent, `${percent.toFixed(1)} %`].join(' | '),
  );
  return ['folder | mutants | killed | survived | equivalent | score', ...rows].join('\n');
}
