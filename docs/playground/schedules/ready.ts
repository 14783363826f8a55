import { playScript, type Run } from '../engine/play.ts';
import { DEFAULT_SETUP, type Setup } from '../engine/schedule.ts';
import type { State } from '../engine/terms.ts';

/** How a ready schedule ends. */
export interface Ends {
  /** How often the customer has paid. */
  readonly charges: number;
  /** What the client got for each request; `nothing` where it has no answer. */
  readonly answers: readonly string[];
  /** What the table has under the key in the end. */
  readonly record: 'COMPLETED' | 'IN_PROGRESS' | 'RELEASED' | 'none';
}

/** A schedule that a reader can choose. */
export interface Ready {
  /** In kebab case: its link is `#<id>`. */
  readonly id: string;
  readonly title: string;
  /** What to look for: one plain sentence. */
  readonly lookFor: string;
  readonly setup: Partial<Setup>;
  /** For `playScript`. */
  readonly script: string;
  readonly ends: Ends;
}

export function playReady({ setup, script }: Pick<Ready, 'setup' | 'script'>): Promise<Run> {
  return playScript({ ...DEFAULT_SETUP, ...setup }, script);
}

/** How a run has ended, in the words of `Ends`. */
export function endOf({ lanes, charges, records }: State): Ends {
  const sent = lanes.filter(({ client }) => client !== 'idle');
  return {
    charges: charges.filter(({ effect, isKnown }) => effect === 'charge' && !isKnown).length,
    answers: sent.map(({ answer }) => answer?.title ?? 'nothing'),
    record: records[0]?.status ?? 'none',
  };
}

/** The end of a schedule as a sentence: what its page says. */
export function sentenceOf({ charges, answers, record }: Ends): string {
  const times =
    charges === 0 ? 'The customer pays nothing' : `The customer pays ${charges === 1 ? 'once' : TIMES[charges]}`;
  const told = answers.map((answer, index) => `request ${index + 1} gets ${answer}`).join(', ');
  const table = record === 'none' ? 'the table has no record' : `the record is ${record}`;
  return `${times}; ${told}; ${table}.`;
}

const TIMES = ['never', 'once', 'twice', 'three times', 'four times'];
