interface EventLine {
  readonly type: string;
  readonly id: string;
  readonly attempt: number;
  readonly durationMillis: number;
  readonly error?: unknown;
}

/**
 * A line that a function has printed, for a person: an event of the guard in short, everything else as it is. A function may
 * print anything (`console.log({ a: 1 })` is no JSON), and one that is killed leaves half a line.
 */
export function describeLine(line: string): string {
  const event = readEvent(line);
  if (event === undefined) return line;
  const { type, id, attempt, durationMillis, error } = event;
  return `${type} ${id} attempt ${attempt} ${durationMillis} ms${error === undefined ? '' : `: ${describeError(error)}`}`;
}

function readEvent(line: string): EventLine | undefined {
  let value: Partial<EventLine> | null;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { type, id, durationMillis } = value ?? {};
  const isEvent = typeof type === 'string' && typeof id === 'string' && typeof durationMillis === 'number';
  return isEvent ? (value as EventLine) : undefined;
}

/** As the log has written it. */
function describeError(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, code, message, advice } = error as Readonly<Record<string, unknown>>;
  return `${code ?? name}: ${message}${advice === undefined ? '' : ` ${advice}`}`;
}
