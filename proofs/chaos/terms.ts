/** Leases are short, so that they run out in a test; still long beside the pauses of a busy machine. */
export const LEASES_MILLIS = [2000, 2500, 3000] as const;
export const MAX_LEASE_MILLIS = 3000;

/** What the guards are told. */
export const CLOCK_SKEW_MILLIS = 400;

/** The clock of every process is off by up to this: any two of them, and the true time, agree within the tolerance. */
export const MAX_OFFSET_MILLIS = 195;

/** After this the SDK gives an attempt up and sends another one, while the first is still on its way. */
export const REQUEST_TIMEOUT_MILLIS = 1000;
export const MAX_ATTEMPTS = 3;

const SHORT_RETENTION_SECONDS = 3;
const LONG_RETENTION_SECONDS = 3600;

/** The three ways of guarding that keys are spread over. */
export const KINDS = {
  /** A lost execution is executed again. */
  run: { retentionSeconds: LONG_RETENTION_SECONDS, onExpiredLease: 'run' },
  /** The same, and outcomes are soon forgotten. */
  brief: { retentionSeconds: SHORT_RETENTION_SECONDS, onExpiredLease: 'run' },
  /** At most once. */
  once: { retentionSeconds: LONG_RETENTION_SECONDS, onExpiredLease: 'throw' },
} as const;

export type Kind = keyof typeof KINDS;

const TURNS: readonly Kind[] = ['run', 'run', 'run', 'brief', 'once'];

/** Which key is the n-th. Its name tells how it is guarded. */
export function keyNumber(n: number): string {
  return `${TURNS[n % TURNS.length] ?? 'run'}-${n}`;
}

export function kindOf(key: string): Kind {
  const [name = ''] = key.split('-');
  if (!Object.hasOwn(KINDS, name)) throw new Error(`no kind of key: ${key}`);
  return name as Kind;
}

/** The name of one call says which key it is of, so that the owner of a record tells both. */
export function keyOfCall(call: string): string {
  return call.slice(0, call.indexOf('/'));
}
