import { type Conditional, type Item, isMet, updated } from './expression.ts';

/** A request of either package, as DynamoDB's protocol has it. */
export interface WireRequest extends Conditional {
  readonly Item?: Item;
  readonly Key?: Item;
  readonly UpdateExpression?: string;
  readonly TransactItems?: readonly Readonly<Record<string, WireRequest>>[];
}

export interface WireAnswer {
  readonly status: number;
  readonly body: object;
}

const DONE: WireAnswer = { status: 200, body: {} };

/** Told of each write, before it counts. `before` and `after`: the item. */
export type OnWrite = (id: string, before: Item | undefined, after: Item | undefined) => void;

/**
 * Items as DynamoDB keeps them. A transaction takes two steps, as DynamoDB's does: while it is prepared, every other write of its
 * items is refused, and reads see what was there before.
 */
export class SimulatedTable {
  readonly #items = new Map<string, Item>();
  readonly #prepared = new Set<string>();
  /** Writes that were refused because a transaction was prepared. */
  conflicts = 0;

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  answer(operation: string, request: WireRequest, onWrite: OnWrite): WireAnswer {
    const id = idOf(request.Item ?? request.Key);
    const before = this.#items.get(id);
    if (operation === 'GetItem') return { status: 200, body: before === undefined ? {} : { Item: before } };
    if (this.#prepared.has(id)) {
      this.conflicts++;
      return { status: 400, body: exception('TransactionConflictException') };
    }
    if (!isMet(request, before)) {
      return {
        status: 400,
        body: { ...exception('ConditionalCheckFailedException'), ...(before && { Item: before }) },
      };
    }
    this.#write(id, afterOf(operation, request, before), onWrite);
    return DONE;
  }

  /** @returns the second step, or why there is none */
  prepare({ TransactItems: items = [] }: WireRequest): WireAnswer | ((onWrite: OnWrite) => WireAnswer) {
    const writes = items.map((entry) => {
      const [operation = '', request = {}] = Object.entries(entry)[0] ?? [];
      return { operation, request, id: idOf(request.Item ?? request.Key) };
    });
    const CancellationReasons = writes.map(({ request, id }) => {
      if (this.#prepared.has(id)) return { Code: 'TransactionConflict' };
      const found = this.#items.get(id);
      return isMet(request, found)
        ? { Code: 'None' }
        : { Code: 'ConditionalCheckFailed', ...(found && { Item: found }) };
    });
    if (CancellationReasons.some(({ Code }) => Code !== 'None')) {
      return { status: 400, body: { ...exception('TransactionCanceledException'), CancellationReasons } };
    }
    for (const { id } of writes) this.#prepared.add(id);
    return (onWrite) => {
      for (const { operation, request, id } of writes) {
        this.#prepared.delete(id);
        this.#write(id, afterOf(operation, request, this.#items.get(id)), onWrite);
      }
      return DONE;
    };
  }

  #write(id: string, after: Item | undefined, onWrite: OnWrite): void {
    onWrite(id, this.#items.get(id), after);
    if (after === undefined) this.#items.delete(id);
    else this.#items.set(id, after);
  }
}

function afterOf(operation: string, request: WireRequest, before: Item | undefined): Item | undefined {
  if (operation.startsWith('Put')) return request.Item;
  if (operation.startsWith('Update')) return updated(request, before ?? request.Key ?? {});
  return undefined;
}

function idOf(item: Item | undefined): string {
  return String(item?.['id']?.['S']);
}

function exception(name: string): object {
  return { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'simulated' };
}
