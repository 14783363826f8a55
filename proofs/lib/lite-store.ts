import { liteConnection } from '../../src/stores/dynamodb/lite/connection.ts';
import { exchangeWith } from '../../src/stores/dynamodb/lite/exchange.ts';
import type { Surroundings } from '../../src/stores/dynamodb/lite/transport.ts';
import { resolveTableOptions } from '../../src/stores/dynamodb/options.ts';
import { recordStore } from '../../src/stores/dynamodb/store.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { oneOf } from '../../tools/options.ts';

/** The store that a proof runs with. */
export const STORE = oneOf('The DynamoDB store: through the SDK, or without it.', ['sdk', 'lite']);
export type StoreName = 'sdk' | 'lite';

interface Setup extends Partial<Omit<Surroundings, 'connect'>> {
  readonly endpoint: string;
  readonly tableName: string;
}

/** A request on its way: its headers can be changed, and `send` answers when DynamoDB has. */
export type OnTheWay = <T>(
  request: { readonly headers: Record<string, string>; readonly body: string },
  send: () => Promise<T>,
) => Promise<T>;

/** The store without the SDK, whose requests pass `onTheWay` just before they leave the process. */
export function liteStore({ endpoint, tableName, ...surroundings }: Setup, onTheWay: OnTheWay) {
  const connect: Surroundings['connect'] = (url, limits) => {
    const exchange = exchangeWith(url, limits);
    return (given, body) => {
      const headers = { ...given };
      return onTheWay({ headers, body }, () => exchange(headers, body));
    };
  };
  const connection = liteConnection({ endpoint, ...LOCAL_ACCESS }, { ...surroundings, connect });
  return recordStore(resolveTableOptions({ tableName }), connection);
}
