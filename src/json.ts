/**
 * What is left of a value after a round through JSON: a Date becomes a string, functions vanish. It is the result type
 * of a guarded function, because it is what a retry gets.
 */
export type Jsonified<T> = 0 extends 1 & T
  ? T
  : T extends { toJSON(): infer J }
    ? Jsonified<J>
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends Unserialisable
        ? never
        : T extends Opaque
          ? Record<string, never>
          : T extends readonly unknown[]
            ? { [K in keyof T]: JsonifiedElement<T[K]> }
            : T extends object
              ? { [K in keyof T as T[K] extends Unserialisable ? never : K]: Jsonified<T[K]> }
              : T;

type Unserialisable = bigint | symbol | ((...args: never) => unknown);

/** Their contents are no properties: JSON has an empty object for them. */
// biome-ignore lint/suspicious/noExplicitAny: a map of anything
type Opaque = ReadonlyMap<any, any> | ReadonlySet<any> | Error;

/** A list has no gaps in JSON. */
type JsonifiedElement<T> = undefined extends T ? Jsonified<Exclude<T, undefined>> | null : Jsonified<T>;
