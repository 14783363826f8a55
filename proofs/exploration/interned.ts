/** Values that are equal as JSON, each once, with a number of its own: to compare them is to compare numbers. */
export class Interned<T> {
  readonly #byText = new Map<string, Entry<T>>();

  /** `undefined` members make no difference. */
  of(value: T): Entry<T> {
    const text = JSON.stringify(value) ?? '';
    let entry = this.#byText.get(text);
    if (entry === undefined) {
      entry = { number: this.#byText.size + 1, value };
      this.#byText.set(text, entry);
    }
    return entry;
  }
}

export interface Entry<T> {
  readonly number: number;
  readonly value: T;
}

/** A list that only grows, and shares its beginning with every other one that began the same way. */
export class Chain<T> {
  static #last = 0;
  /** The same for equal lists that have grown from the same beginning. */
  readonly number = ++Chain.#last;
  readonly #previous: Chain<T> | undefined;
  readonly #item: T | undefined;
  readonly #next = new Map<string, Chain<T>>();

  constructor(previous?: Chain<T>, item?: T) {
    this.#previous = previous;
    this.#item = item;
  }

  with(item: T): Chain<T> {
    const text = JSON.stringify(item);
    let next = this.#next.get(text);
    if (next === undefined) {
      next = new Chain(this as Chain<T>, item);
      this.#next.set(text, next);
    }
    return next;
  }

  items(): T[] {
    const items: T[] = [];
    for (let at: Chain<T> | undefined = this; at !== undefined && at.#previous !== undefined; at = at.#previous) {
      items.push(at.#item as T);
    }
    return items.reverse();
  }
}
