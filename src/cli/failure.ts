import { IdempotencyError } from '../errors.ts';

/** The exit codes are contract: `--help` lists them. */
export const EXIT = { done: 0, failed: 1, usage: 2, notFound: 3, refused: 4 } as const;

interface FailureDetails {
  readonly advice?: string | undefined;
  /** More of what `--json` prints, and of what the text says. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Why a command was not carried out. `code` is for programs, as is that of an `IdempotencyError`.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;
  readonly code: string;
  readonly advice: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(exitCode: number, code: string, message: string, { advice, details = {} }: FailureDetails = {}) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.advice = advice;
    this.details = details;
  }
}

export function usageFailure(message: string): Failure {
  return new Failure(EXIT.usage, 'USAGE', message, { advice: 'See middy-idempotency --help.' });
}

/** The parser's message quotes the text, which may be confidential. The failure says only where the mistake is. @throws Failure */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageFailure(`${what} is not JSON${/ at position .*/.exec(String(error))?.[0] ?? ''}`);
  }
}

/** What was thrown, for the operator at the terminal. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof IdempotencyError) {
    // Its message is for the client of an API, and speaks of a request.
    return new Failure(EXIT.failed, error.code, error.advice ?? error.message);
  }
  // The package refuses wrong options with these, and names the option.
  if (error instanceof TypeError) return usageFailure(error.message.replace(/^middy-idempotency: /, ''));
  return new Failure(EXIT.failed, 'FAILED', error instanceof Error ? error.message : String(error));
}
