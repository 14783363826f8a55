import { recordInvalid, storeUnavailable } from '../../core/record/failures.ts';
import { IdempotencyError } from '../../errors.ts';

type Kind = 'refused' | 'busy' | 'unanswered';

const LOGIN = 'Correct the user and the password of the client.';
const PRIMARY = 'This server is a replica: connect to the primary.';
const LATER = 'Redis cannot write for the moment.';

/** By the word with which Redis answers; inside of a script it stands further behind ("Redis serialization protocol"). */
const EXPLAINED: Readonly<Record<string, readonly [Kind, string]>> = {
  NOAUTH: ['refused', LOGIN],
  WRONGPASS: ['refused', LOGIN],
  NOPERM: [
    'refused',
    'Allow the user the commands EVALSHA, EVAL, HMGET, HGET, HSET, DEL, EXISTS, PEXPIREAT and TIME on the keys.',
  ],
  DENIED: ['refused', 'Redis runs in protected mode: set a password, or `bind`.'],
  MOVED: ['refused', 'This is a cluster: use the client for clusters.'],
  CROSSSLOT: ['refused', 'A prefix of the client must not have braces.'],
  READONLY: ['busy', PRIMARY],
  OOM: ['busy', 'Give Redis more memory.'],
  MISCONF: ['busy', 'Redis cannot save its data: look at its log.'],
  NOREPLICAS: ['busy', 'Too few replicas are connected (`min-replicas-to-write`).'],
  LOADING: ['busy', LATER],
  MASTERDOWN: ['busy', LATER],
  CLUSTERDOWN: ['busy', LATER],
  TRYAGAIN: ['busy', LATER],
  BUSY: ['busy', 'Another script runs all the time.'],
};

const WORD = new RegExp(`\\b(${Object.keys(EXPLAINED).join('|')})\\b`);
/** Of a client: nothing was sent. */
const CLOSED = /client is closed|ClientClosedError/i;
const TLS = /certificate|self.signed|wrong version number/i;

/**
 * What a client threw, as an error of this package.
 *
 * @param resends whether what was refused may have been sent before, and have got no answer
 */
export function unavailable(error: unknown, resends = false): IdempotencyError {
  if (error instanceof IdempotencyError) return error;
  const { name = 'Error', message = String(error), stack } = error instanceof Error ? error : {};
  const { code } = (error ?? {}) as { readonly code?: unknown };
  // A client's error may have the command with its arguments, and so a password or a record.
  const cause = Object.assign(new Error(message), { name, stack, ...(code !== undefined && { code }) });
  if (message.includes('WRONGTYPE'))
    return recordInvalid('The key is', ': it belongs to another program. Set `keyPrefix`.', cause);
  const [kind, advice] = explain(message);
  return storeUnavailable({
    cause,
    advice: `${advice} ${message}`,
    retryable: kind !== 'refused' || (resends && !CLOSED.test(message) ? undefined : false),
    unanswered: kind === 'unanswered' || undefined,
  });
}

function explain(message: string): readonly [Kind, string] {
  const explained = EXPLAINED[WORD.exec(message)?.[1] ?? ''];
  if (explained !== undefined) return explained;
  if (CLOSED.test(message)) return ['refused', 'Call `connect()` of the client once, and keep it open.'];
  if (TLS.test(message)) return ['refused', 'Correct `tls` of the client.'];
  if (message.startsWith('ERR ')) return ['refused', 'Redis refused the script. It needs Redis 6.2 or later.'];
  return ['unanswered', 'Redis could not be reached: look at host, port and security groups.'];
}

/** What a full Redis may delete: a claim that is gone lets a second execution begin. */
export function evicting(policy: string): IdempotencyError {
  const advice = `Set \`maxmemory-policy noeviction\` (it is ${policy}): else Redis deletes records when its memory is full.`;
  return storeUnavailable({ advice, retryable: false, cause: new Error(`maxmemory-policy is ${policy}`) });
}

/** The write is on the primary, and may be lost with it. */
export function notReplicated(acknowledged: number, wanted: number): IdempotencyError {
  const cause = new Error(`${acknowledged} of ${wanted} replicas have acknowledged the write`);
  return storeUnavailable({ advice: 'Look at the replicas, or lower `waitForReplicas`.', retryable: true, cause });
}
