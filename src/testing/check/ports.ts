/** One call of a port, as the simulated world sees it. */
export interface PortCall {
  /** `processor.charge`; `table.PutItem` for a command of an AWS SDK client. */
  readonly name: string;
  /** Whether the port holds the guard's records. Its calls are places, but no effects. */
  readonly isStore: boolean;
  readonly args: readonly unknown[];
  perform(): unknown;
}

/** Decides what becomes of a call. It answers what the caller gets. */
export type Through = (call: PortCall) => unknown;

type AnyFunction = (...args: unknown[]) => unknown;

/** The ports with every function in them wrapped. Values that are no functions stay as they are. */
export function wrapPorts(ports: Readonly<Record<string, unknown>>, through: Through): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, wrap(port, name, name === 'store', through)]),
  );
}

function wrap(value: unknown, name: string, isStore: boolean, through: Through, owner?: unknown): unknown {
  if (typeof value === 'function') {
    const call = value as AnyFunction;
    const wrapped = (...args: unknown[]) =>
      through({ name: nameOfCall(name, args), isStore, args, perform: () => call.apply(owner, args) });
    return Object.assign(wrapped, call);
  }
  if (!isObjectOfFunctions(value)) return value;
  const isSdkClient = typeof (value as Holder)['send'] === 'function' && 'config' in value;
  // A proxy may not answer other members than a frozen object has.
  const target = Object.isFrozen(value) ? Object.assign(Object.create(Object.getPrototypeOf(value)), value) : value;
  const wrapped = new Map<PropertyKey, { readonly of: unknown; readonly as: unknown }>();
  return new Proxy(target, {
    get(_, member) {
      const own = Reflect.get(value, member, value) as unknown;
      if (typeof member === 'symbol' || member === 'constructor' || (isSdkClient && member !== 'send')) return own;
      let known = wrapped.get(member);
      if (known?.of !== own) {
        const memberName = isSdkClient ? name : `${name}.${member}`;
        known = { of: own, as: wrap(own, memberName, isStore, through, value) };
        wrapped.set(member, known);
      }
      return known?.as;
    },
  });
}

type Holder = Record<string, unknown>;

const NO_PORTS = [Map, Set, WeakMap, WeakSet, Date, RegExp, Promise, Error, ArrayBuffer];

function isObjectOfFunctions(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return !NO_PORTS.some((type) => value instanceof type);
}

/** A command of an AWS SDK client says more than `send` does. */
function nameOfCall(name: string, [first]: readonly unknown[]): string {
  const command = typeof first === 'object' && first !== null && 'input' in first ? first.constructor.name : '';
  return command.endsWith('Command') ? `${name}.${command.slice(0, -'Command'.length)}` : name;
}

const READS = /^(batchget|get|find|list|read|query|scan|search|head|describe|load|lookup|exists|has|count)$/;

/** Whether a call changes nothing, by the first word of its name or as the GET of a `fetch`. */
export function isRead(name: string, args: readonly unknown[]): boolean {
  const member = name.slice(name.lastIndexOf('.') + 1);
  const [word = ''] = /^(?:[Bb]atchG|[A-Z])?[a-z]+/.exec(member) ?? [];
  if (name.includes('.') && READS.test(word.toLowerCase()) && !/Or[A-Z]/.test(member)) return true;
  const isFetch = typeof args[0] === 'string' || args[0] instanceof URL;
  const method = (args[1] as { method?: unknown } | undefined)?.method;
  return isFetch && !name.includes('.') && (method === undefined || method === 'GET' || method === 'HEAD');
}

/** `Idempotency-Key`, `idempotencyKey`, `ClientToken`, `ClientRequestToken`, `MessageDeduplicationId`. */
const KEY_NAME = /^((x-)?idempotency[-_]?key|client[-_]?(request[-_]?)?token|messagededuplicationid)$/i;
/** As `deriveKey` makes them (RFC 9562, version 8). */
const DERIVED = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MAX_DEPTH = 4;

/**
 * The key by which the receiver of a call recognises it, `undefined` for none. It is a member with the name of a key. Else it is
 * a derived key among the arguments, or a derived key as the `id` of what is written.
 */
export function keyOfCall(args: readonly unknown[]): string | undefined {
  return (
    args.map((arg) => namedKey(arg, MAX_DEPTH)).find((key) => key !== undefined) ??
    args.find((arg): arg is string => typeof arg === 'string' && DERIVED.test(arg)) ??
    args.map(derivedId).find((key) => key !== undefined)
  );
}

function namedKey(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null || depth === 0 || value instanceof AbortSignal) return undefined;
  const members = value instanceof Headers ? [...value] : Object.entries(value);
  const [, own] = members.find(([name, key]) => KEY_NAME.test(name) && typeof key === 'string') ?? [];
  if (own !== undefined) return own as string;
  return members.map(([, member]) => namedKey(member, depth - 1)).find((key) => key !== undefined);
}

function derivedId(value: unknown): string | undefined {
  const { id, Item, input } = (value ?? {}) as { id?: unknown; Item?: { id?: unknown }; input?: unknown };
  const candidate = id ?? Item?.id ?? (input as { Item?: { id?: unknown } } | undefined)?.Item?.id;
  return typeof candidate === 'string' && DERIVED.test(candidate) ? candidate : undefined;
}
