/** A part of `localStorage` and `sessionStorage`. */
export interface KeyStorage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

export interface Intent {
  readonly key: string;
  /** Call it when the answer is shown or saved. The next intent of this name then has another key. */
  done(): void;
}

/** What the user has decided once, such as `checkout-4711`. Its key is stored before the first request: a reload finds it. */
export function intentOf(name: string, storage: KeyStorage): Intent {
  const item = `idempotency-key:${name}`;
  const key = storage.getItem(item) ?? crypto.randomUUID();
  storage.setItem(item, key);
  return { key, done: () => storage.removeItem(item) };
}

export interface PostOptions {
  readonly key: string;
  /** @default 6 */
  readonly attempts?: number;
  /** How long an attempt waits for its answer. @default 35_000, more than an API Gateway takes */
  readonly timeoutMillis?: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends it until there is an answer.
 *
 * @throws Error when there was none: the outcome is unknown, so the key must stay
 */
export async function post(url: string, body: unknown, options: PostOptions): Promise<Response> {
  const { key, attempts = 6, timeoutMillis = 35_000, signal } = options;
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const text = JSON.stringify(body);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const signals = [AbortSignal.timeout(timeoutMillis), ...(signal ? [signal] : [])];
    const request = { method: 'POST', headers, body: text, signal: AbortSignal.any(signals) };
    const response = await fetch(url, request).catch(() => undefined); // no answer: the request may have been executed
    signal?.throwIfAborted();
    if (response !== undefined && isFinal(response)) return response;
    if (attempt < attempts) await pause(waitMillis(response, attempt), signal);
  }
  throw new Error('There is no answer yet. Try again later, with the same key.');
}

/** 429 and 5xx are released by the server. A 409 with `Retry-After` says that another request with this key is running. */
function isFinal({ status, headers }: Response): boolean {
  return status < 500 && status !== 429 && !(status === 409 && headers.has('retry-after'));
}

/** What the server says, else twice as long each time, with jitter. */
function waitMillis(response: Response | undefined, attempt: number): number {
  const seconds = Number(response?.headers.get('retry-after') ?? Number.NaN);
  return Number.isNaN(seconds) ? Math.random() * 250 * 2 ** attempt : seconds * 1000;
}

function pause(millis: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, millis);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
