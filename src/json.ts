/**
 * What is left of a value after a round through JSON: a Date becomes a string, functions vanish. It is the result type
 * of a guarded function, because it is what a retry gets.
 *
 * It says what types can say. A getter of a class looks like a member, and JSON does not have it; `NaN` looks like a number,
 * and JSON has null.
 */
export type Jsonified<T> = 0 extends 1 & T
  ? T
  : T extends { toJSON(key: string): infer J }
    ? Jsonified<J>
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends bigint | Dropped
        ? never
        : T extends TypedArray<infer E>
          ? Record<number, Jsonified<E>>
          : T extends Opaque
            ? Record<string, never>
            : T extends readonly unknown[]
              ? { [K in keyof T]: JsonifiedElement<T[K]> }
              : T extends object
                ? { [K in keyof T as JsonKey<K, T[K]>]: JsonifiedMember<T[K]> }
                : T;

/** An object has no such member in JSON, and a list has null in its place. */
type Dropped = symbol | ((...args: never) => unknown) | (abstract new (...args: never) => unknown);

type TypedArray<E> = { readonly BYTES_PER_ELEMENT: number; readonly [index: number]: E };

/** Their contents are no properties: JSON has an empty object for them. */
type Opaque =
  // biome-ignore lint/suspicious/noExplicitAny: a map of anything
  | ReadonlyMap<any, any>
  // biome-ignore lint/suspicious/noExplicitAny: a set of anything
  | ReadonlySet<any>
  // biome-ignore lint/suspicious/noExplicitAny: a map of anything
  | WeakMap<any, any>
  // biome-ignore lint/suspicious/noExplicitAny: a set of anything
  | WeakSet<any>
  | Promise<unknown>
  | Error
  | RegExp
  | ArrayBuffer
  | SharedArrayBuffer
  | DataView;

type JsonKey<K, V> = K extends symbol
  ? never
  : [V] extends [undefined]
    ? K
    : [V] extends [Dropped | undefined]
      ? never
      : K;

type JsonifiedMember<T> = T extends Dropped ? undefined : Jsonified<T>;

/** A list has no gaps in JSON. */
type JsonifiedElement<T> = T extends Dropped | undefined ? null : Jsonified<T>;

/** An object or a list: a value that has members. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * A copy that equals what JSON makes of the value, without its text; `undefined` where only JSON itself can say. Flat data, such as
 * an HTTP response: a string of megabytes is not parsed again.
 */
export function flatCopy(value: unknown, levels = 2): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (!isObject(value)) return Number.isFinite(value) && !Object.is(value, -0) ? value : undefined;
  if (levels === 0 || 'toJSON' in value || Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  // A second call of a getter could give another value.
  const copies = Object.entries(Object.getOwnPropertyDescriptors(value)).map(([name, { enumerable, get }]) => {
    return [name, enumerable && !get ? flatCopy(value[name], levels - 1) : undefined] as const;
  });
  return copies.some(([, copy]) => copy === undefined) ? undefined : Object.fromEntries(copies);
}

/** What kind of object it is, of this realm or another (a `vm` context, a test runner's): `'[object Error]'`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

/**
 * Whether it is a promise, of this realm or another (a `vm` context, a test runner's). No rejection of it is left unhandled.
 * Another thenable is none: its `then` may send a query.
 */
export function isPromise(value: unknown): boolean {
  try {
    if ((value as { then?: unknown } | undefined)?.then === undefined) return false;
    Promise.prototype.then.call(value, undefined, () => undefined);
    return true;
  } catch {
    return false;
  }
}

/** The object without the members that are `undefined`. */
export function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

/** The text of bytes. A decoder that is not fatal would replace every malformed byte by the same character. @throws TypeError */
export function utf8(bytes: Uint8Array, ignoreBOM = true): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM }).decode(bytes);
}
