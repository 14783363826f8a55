import { inspect, styleText } from 'node:util';
import type { Fault } from './faults.ts';
import type { Problem } from './judge.ts';

/** One thing that is wrong with a handler, by the simplest schedule that shows it. */
export interface Finding {
  readonly problem: Problem;
  /** The call at which the fault came: `processor.charge`. Empty when it takes no fault. */
  readonly place: string;
  /** `none` when it takes no fault. */
  readonly fault: Fault | 'none';
  /** The effect that it is about: `processor.charge`. */
  readonly effect?: string;
  /** What happened, for a person. */
  readonly message: string;
  /** What to change. */
  readonly advice: string;
  /** What led to it, step by step. */
  readonly schedule: readonly string[];
  /** The same seed gives the same schedules. */
  readonly seed: number;
  /** All places and faults that lead to the same problem, this one included. */
  readonly seenAt: readonly { readonly place: string; readonly fault: Fault | 'none' }[];
}

/**
 * What a check has found out. `JSON.stringify` gives it as data, `String(report)` as text, and `console.log(report)` as a table,
 * with colour in a terminal.
 */
export class CheckReport {
  readonly findings: readonly Finding[];
  /** How many runs the check has made. */
  readonly runs: number;
  /** The calls of an undisturbed run, in order. */
  readonly places: readonly string[];
  /** What the check could not see: a port function that answers no promise, for example. */
  readonly notes: readonly string[];

  constructor({ findings, runs, places, notes }: Pick<CheckReport, 'findings' | 'runs' | 'places' | 'notes'>) {
    this.findings = findings;
    this.runs = runs;
    this.places = places;
    this.notes = notes;
  }

  toString(): string {
    return render(this, (_, text) => text);
  }

  [inspect.custom](_: number, { colors }: { readonly colors?: boolean | undefined }): string {
    return render(this, (style, text) => (colors === true ? styleText(style, text, { validateStream: false }) : text));
  }
}

/** Thrown by `expectIdempotent`. Its message is the report. */
export class NotIdempotentError extends Error {
  override readonly name = 'NotIdempotentError';
  readonly report: CheckReport;

  constructor(report: CheckReport) {
    super(`\n${report}`);
    this.report = report;
  }
}

type Paint = (style: 'red' | 'green' | 'bold' | 'dim' | 'cyan', text: string) => string;

const WIDTH = 100;

function render({ findings, runs, places, notes }: CheckReport, paint: Paint): string {
  const counted = `${places.length} places, ${runs} runs`;
  const head =
    findings.length === 0
      ? paint('green', `✓ safe to retry: ${counted}`)
      : paint('red', `✗ ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}: ${counted}`);
  const shown = findings.flatMap((finding, index) => [renderFinding(finding, index + 1, paint), '']);
  const noted = notes.map((note) => paint('dim', `note: ${note}`));
  return [head, '', table(places, findings, paint), '', ...shown, ...noted].join('\n').trimEnd();
}

/** A row for each place, with the faults at it that led to a finding. */
function table(places: readonly string[], findings: readonly Finding[], paint: Paint): string {
  const seenAt = findings.flatMap((finding) => finding.seenAt);
  const isWithout = findings.some(({ fault }) => fault === 'none');
  const names = [...new Set([...(isWithout ? [''] : []), ...places, ...seenAt.map(({ place }) => place)])];
  const width = Math.max(...names.map(({ length }) => length), 'no fault'.length);
  return names
    .map((name) => {
      const seen = seenAt.filter(({ place }) => place === name);
      const faults = [...new Set(seen.map(({ fault }) => fault))].join(', ');
      const label = (name === '' ? 'no fault' : name).padEnd(width);
      return `  ${label}  ${faults === '' ? paint('green', '✓') : paint('red', `✗ ${faults}`)}`;
    })
    .join('\n');
}

function renderFinding({ message, advice, schedule, seenAt, seed }: Finding, number: number, paint: Paint): string {
  const others = seenAt.length - 1;
  return [
    ...wrapped(`${number}. ${message}`, '   ').map((line) => paint('bold', line)),
    ...wrapped(`   → ${advice}`, '     ').map((line) => paint('cyan', line)),
    ...schedule.map((step) => paint('dim', `     · ${step}`)),
    ...(others === 0
      ? []
      : [paint('dim', `     and by ${others} other ${others === 1 ? 'schedule' : 'schedules'}; seed ${seed}`)]),
  ].join('\n');
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === '' && lines.length === 0 && word !== '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
