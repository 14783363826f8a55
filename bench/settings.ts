import { FLAG, parseOptions, TEXTS, UsageError } from '../tools/arguments.ts';

export const SUBJECTS = ['cpu', 'latency', 'wire', 'capacity', 'cold start', 'growth', 'features'] as const;
export type Subject = (typeof SUBJECTS)[number];

export interface Settings {
  readonly subjects: readonly Subject[];
  /** Whether the README and the results beside this file are written anew. */
  readonly write: boolean;
}

export const USAGE = `Usage: npm run bench -- [options]

CPU, latency, requests, write units, cold start and growth of this package, against
@aws-lambda-powertools/idempotency and against bare calls of the AWS SDK, in alternating
rounds: medians, and ratios within this run. About five minutes on two cores; Ctrl-C ends
everything. Other load on the machine makes the figures worse than they are.

Options:
  --only <subject>  One of: ${SUBJECTS.join(', ')}. May be given several times. Default: all.
  --write           Write bench/results.json, bench/chart.svg and the figures of docs/cost-and-speed.md.
  -h, --help        Print this.

Environment:
  DYNAMODB_ENDPOINT  A DynamoDB Local that runs already, such as http://127.0.0.1:8000.
                     Default: one is started, with Java 17 or later, or Docker.`;

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings(args: readonly string[]): Settings | undefined {
  const { help, write = false, only = [] } = parseOptions(args, { write: FLAG, only: TEXTS });
  if (help === true) return undefined;
  const unknown = only.find((name) => !SUBJECTS.includes(name as Subject));
  if (unknown !== undefined) throw new UsageError(`--only: '${unknown}' is none of ${SUBJECTS.join(', ')}`);
  if (write && only.length > 0) throw new UsageError('--write needs all subjects, and --only leaves some out');
  return { write, subjects: only.length === 0 ? SUBJECTS : (only as Subject[]) };
}
