/** AWS, API reference of TransactWriteItems: a token is known for ten minutes. */
const KNOWN_MILLIS = 600_000;

/** The tokens of the transactions that were applied. A table that knows none is the harder one. */
export class Tokens {
  readonly #seen = new Map<string, number>();
  readonly #now: (() => number) | undefined;

  constructor(now?: () => number) {
    this.#now = now;
  }

  knows(token: string): boolean {
    const at = this.#seen.get(token);
    return at !== undefined && this.#now !== undefined && this.#now() - at < KNOWN_MILLIS;
  }

  keep(token: string): void {
    if (this.#now !== undefined) this.#seen.set(token, this.#now());
  }
}
