type Change = (value: unknown) => unknown;

/** The same request with another payload, in two ways: with other numbers, and with one more member. */
export function otherPayloads(event: unknown): readonly unknown[] {
  return [otherNumbers, oneMore].map((change) => inPayload(structuredClone(event), change));
}

/** Changes what the client has sent: the body of an HTTP request, of each message, or the event itself. */
function inPayload(event: unknown, change: Change): unknown {
  if (!isObject(event)) return change(event);
  if (typeof event['body'] === 'string') return { ...event, body: inJson(event['body'], change) };
  if (Array.isArray(event['Records'])) {
    return { ...event, Records: event['Records'].map((record) => inPayload(record, change)) };
  }
  return change(event);
}

function inJson(text: string, change: Change): string {
  try {
    return JSON.stringify(change(JSON.parse(text)));
  } catch {
    return `${text} `;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function otherNumbers(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return value.map(otherNumbers);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, otherNumbers(member)]));
}

function oneMore(value: unknown): unknown {
  return isObject(value) ? { ...value, anotherPayload: true } : value;
}
