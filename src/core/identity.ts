/** One logical request, computed once, before anything can change the event. */
export interface Identity {
  readonly operation: string;
  /** The record id. */
  readonly id: string;
  /** Digest of what must stay the same between retries. */
  readonly fingerprint?: string;
  /** A UUID for a downstream call, the same on every attempt. */
  deriveKey(name: string): string;
}
