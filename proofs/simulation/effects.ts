import { effectOf, refusedItem } from '../lib/effects.ts';
import type { TransactionScript } from './script.ts';

/** The table of the handlers of a schedule. */
const EFFECTS_TABLE = 'effects';

/** The effect of a key, under the condition that a script says. */
export function itemsFor(key: string, condition: TransactionScript['items']): object[] {
  const { Update } = effectOf(EFFECTS_TABLE, key);
  if (condition === 'once') return [{ Update: { ...Update, ConditionExpression: 'attribute_not_exists(id)' } }];
  return condition === 'refused' ? [{ Update }, refusedItem(EFFECTS_TABLE)] : [{ Update }];
}

interface Effect {
  readonly Update?: { readonly Key: { readonly id: unknown }; readonly ConditionExpression?: string };
}

/** The keys whose effects are there, in a table of records. */
export class Effects {
  readonly #keys = new Set<unknown>();

  refuses(item: Effect): boolean {
    const { Update } = item;
    return Update === undefined || (Update.ConditionExpression !== undefined && this.#keys.has(Update.Key.id));
  }

  apply({ Update }: Effect): void {
    this.#keys.add(Update?.Key.id);
  }
}
