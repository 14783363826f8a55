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
        : T extends readonly unknown[]
          ? { [K in keyof T]: Jsonified<T[K]> }
          : T extends object
            ? { [K in keyof T as T[K] extends Unserialisable ? never : K]: Jsonified<T[K]> }
            : T;

type Unserialisable = bigint | symbol | ((...args: never) => unknown);
