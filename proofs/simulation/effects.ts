import { effectOf, refusedItem } from '../lib/effects.ts';
import type { Plan } from './plan.ts';
import type { TransactionScript } from './script.ts';

/** The table of the handlers of a schedule. */
const EFFECTS_TABLE = 'effects';

/** The effect of a key, under the condition that a script says. */
export function itemsFor({ store }: Plan, key: string, condition: TransactionScript['items']): object[] {
  if (store === 'postgres') return sqlItems(key, condition);
  const { Update } = effectOf(EFFECTS_TABLE, key);
  if (condition === 'once') return [{ Update: { ...Update, ConditionExpression: 'attribute_not_exists(id)' } }];
  return condition === 'refused' ? [{ Update }, refusedItem(EFFECTS_TABLE)] : [{ Update }];
}

/** The connection of a transaction. */
export interface SqlClient {
  query(text: string, values: readonly unknown[]): Promise<unknown>;
}

/** How the statements of handlers begin. */
export const SQL_EFFECT = `insert into ${EFFECTS_TABLE}`;

function sqlItems(key: string, condition: TransactionScript['items']): ((tx: SqlClient) => Promise<unknown>)[] {
  const write = (column: string, name: string | null) => (tx: SqlClient) =>
    tx.query(`${SQL_EFFECT} (${column}) values ($1)`, [name]);
  if (condition === 'once') return [write('unique_name', key)];
  return [write('name', key), ...(condition === 'refused' ? [write('name', null)] : [])];
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
