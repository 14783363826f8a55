import type { Connection } from './client.ts';
import { evicting, unavailable } from './failure.ts';

const CODE = 'MIDDY_IDEMPOTENCY_EVICTION';

/**
 * Asks once whether the server may delete records when its memory is full. A server that does not say so is taken to be right.
 *
 * @throws IdempotencyError where it may, and the user has not acknowledged that
 */
export function evictionCheck(connection: Connection, isAcknowledged: boolean): () => Promise<void> {
  let checked: Promise<void> | undefined;
  return () => {
    checked ??= check().catch((error) => {
      // The settings may be corrected, or the server may come back.
      checked = undefined;
      throw error;
    });
    return checked;
  };

  async function check(): Promise<void> {
    const [policy] = (await memory()).flatMap(policyIn);
    if (policy === undefined) return;
    if (!isAcknowledged) throw evicting(policy);
    const message = `Redis may delete idempotency records when its memory is full (maxmemory-policy ${policy}).`;
    process.emitWarning(message, { type: 'IdempotencyWarning', code: CODE });
  }

  async function memory(): Promise<readonly string[]> {
    try {
      return await connection.memory();
    } catch (error) {
      const failure = unavailable(error);
      // Without an answer, the write would get none either.
      if (failure.unanswered === true) throw failure;
      return [];
    }
  }
}

/** The policy by which records can be deleted; none where none is. */
function policyIn(info: string): readonly string[] {
  const limit = /^maxmemory:(\d+)/m.exec(info)?.[1] ?? '0';
  const policy = /^maxmemory_policy:([\w-]+)/m.exec(info)?.[1] ?? 'noeviction';
  return limit === '0' || policy === 'noeviction' ? [] : [policy];
}
