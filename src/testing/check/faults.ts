/** What can happen at a place, in the order in which it is tried: the simplest first. */
export const FAULTS = {
  'crash-after': 'the process dies behind it',
  'crash-before': 'the process dies in front of it',
  'error-not-applied': 'it fails and has no effect',
  'error-applied': 'it has its effect and its answer is lost',
  outage: 'it fails, and so does each later try of the same invocation',
  timeout: 'its answer comes after the timeout of the invocation',
  'duplicate-before': 'two duplicates come while it is about to happen',
  'duplicate-after': 'two duplicates come while its answer is on the way',
  'duplicate-late': 'its answer takes long, and two duplicates come meanwhile',
  'other-payload': 'a duplicate with another payload comes while its answer is on the way',
  zombie: 'the process stands still in front of it, and goes on after a takeover',
  'zombie-error': 'the process stands still in front of it, and it fails after a takeover',
} as const;

export type Fault = keyof typeof FAULTS;

/** Whether its caller cannot know what has happened. After it, a guard executes again, or nothing does. */
export const isFailure = (fault: Fault): boolean => /^(crash|error|outage|timeout|zombie)/.test(fault);

/** The n-th call of a run, and what happens at it. */
export interface PlannedFault {
  readonly at: number;
  readonly fault: Fault;
}
