import type { Seen } from '../lib/history.ts';
import { type Conditional, type Item, isMet } from './conditions.ts';
import { seenItem } from './seen-item.ts';
import type { Answered, Rows } from './table.ts';
import { Tokens } from './tokens.ts';

/** What DynamoDB answers, as its protocol has it. */
export interface WireAnswer {
  readonly status: number;
  readonly body: object;
}

interface Put extends Conditional {
  readonly Item: Item;
}

interface Keyed extends Conditional {
  readonly Key: Item;
}

interface TransactItem {
  readonly Put?: Put;
  readonly Update?: Keyed;
  readonly ConditionCheck?: Keyed;
}

export interface WireRequest extends Partial<Put>, Partial<Keyed> {
  readonly TransactItems?: readonly TransactItem[];
  readonly ClientRequestToken?: string;
}

const DONE: WireAnswer = { status: 200, body: {} };

/** Items as DynamoDB keeps them, and the requests of its API that the store makes: each is one atomic operation. */
export class ItemTable implements Rows {
  readonly #items = new Map<string, Item>();
  readonly #effects = new Map<string, Item>();
  readonly #tokens: Tokens;

  readonly #sendsItems: boolean;

  /** `sendsItems`: whether a failed condition comes with the item. Some endpoints send none. */
  constructor(tokens = new Tokens(), sendsItems = true) {
    this.#tokens = tokens;
    this.#sendsItems = sendsItems;
  }

  ids(): Iterable<string> {
    return this.#items.keys();
  }

  seen(id: string): Seen | undefined {
    const item = this.#items.get(id);
    return item?.['status'] === undefined ? undefined : seenItem(item, (part) => this.#items.get(part));
  }

  expiration(id: string): number {
    return Number(this.#items.get(id)?.['expiration']?.N ?? 0);
  }

  isPart(id: string): boolean {
    return this.#items.get(id)?.['status'] === undefined;
  }

  delete(id: string): void {
    this.#items.delete(id);
  }

  answer(operation: string, request: WireRequest): Answered<WireAnswer> {
    switch (operation) {
      case 'PutItem':
        return this.#write(request, idOf(request.Item), request.Item);
      case 'DeleteItem':
        return this.#write(request, idOf(request.Key), undefined);
      case 'GetItem': {
        const Item = this.#items.get(idOf(request.Key));
        return { answer: { status: 200, body: { ...(Item !== undefined && { Item }) } }, wrote: false };
      }
      case 'TransactWriteItems':
        return this.#transact(request);
      default:
        throw new Error(`simulation: the store never makes this request: ${operation}`);
    }
  }

  #write(condition: Conditional, id: string, item: Item | undefined): Answered<WireAnswer> {
    const Item = this.#items.get(id);
    if (!isMet(condition, Item)) {
      const body = { ...exception('ConditionalCheckFailedException'), ...this.#withItem(Item) };
      return { answer: { status: 400, body }, wrote: false };
    }
    if (item === undefined) this.#items.delete(id);
    else this.#items.set(id, item);
    return { answer: DONE, wrote: true };
  }

  #withItem(Item: Item | undefined): { readonly Item?: Item } {
    return this.#sendsItems && Item !== undefined ? { Item } : {};
  }

  #transact({ TransactItems: items = [], ClientRequestToken: token = '' }: WireRequest): Answered<WireAnswer> {
    if (this.#tokens.knows(token)) return { answer: DONE, wrote: false };
    const reasons = items.map(({ Put, Update, ConditionCheck }) => {
      const Item = Put === undefined ? this.#effects.get(idOf(Update?.Key)) : this.#items.get(idOf(Put.Item));
      if (isMet(Put ?? Update ?? ConditionCheck ?? {}, Item)) return { Code: 'None' };
      return { Code: 'ConditionalCheckFailed', ...(Put !== undefined && this.#withItem(Item)) };
    });
    if (reasons.some(({ Code }) => Code !== 'None')) {
      const body = { ...exception('TransactionCanceledException'), CancellationReasons: reasons };
      return { answer: { status: 400, body }, wrote: false, itemsRefused: reasons.at(-1)?.Code === 'None' };
    }
    this.#tokens.keep(token);
    for (const { Put, Update } of items) {
      if (Put !== undefined) this.#items.set(idOf(Put.Item), Put.Item);
      if (Update !== undefined) this.#effects.set(idOf(Update.Key), Update.Key);
    }
    return { answer: DONE, wrote: true, effects: items.filter(({ Update }) => Update !== undefined).length };
  }
}

/** The id of what a request is about: that of the record, in a transaction the last one. */
export function idIn({ Item, Key, TransactItems }: WireRequest): string {
  return idOf(Item ?? Key ?? TransactItems?.at(-1)?.Put?.Item);
}

function idOf(item: Item | undefined): string {
  return String(item?.['id']?.S);
}

function exception(name: string): object {
  return { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'simulated' };
}
