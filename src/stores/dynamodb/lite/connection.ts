import type { Connection } from '../connection.ts';
import { exchangeWith } from './exchange.ts';
import { toWire } from './marshall.ts';
import { type Surroundings, type TransportOptions, transport } from './transport.ts';

/** As for the client that the other store makes: a connection that hangs must not use up the invocation. */
const DEFAULTS: Surroundings = {
  maxAttempts: 3,
  connectMillis: 1000,
  answerMillis: 3000,
  env: process.env,
  connect: exchangeWith,
  now: Date.now,
  random: Math.random,
  delay: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
};

/** Without the SDK. */
export function liteConnection(options: TransportOptions, surroundings: Partial<Surroundings> = {}): Connection {
  const send = transport(options, { ...DEFAULTS, ...surroundings });
  return {
    send: (verb, request) => send(verb, inputOf(request)),

    async transact(items, token) {
      let wasSent = false;
      const onSend = () => {
        wasSent = true;
      };
      try {
        const TransactItems = items.map((item) => {
          const writes = Object.entries(item).map(([kind, write]) => [kind, write && inputOf(write)]);
          return Object.fromEntries(writes);
        });
        await send('TransactWriteItems', { TransactItems, ClientRequestToken: token }, onSend);
        return undefined;
      } catch (error) {
        return { error, wasSent };
      }
    },
  };
}

const VALUES = ['Item', 'Key', 'ExpressionAttributeValues'];

function inputOf(request: object): object {
  const members = Object.entries(request).map(([name, value]) => [
    name,
    VALUES.includes(name) && value ? toWire(value) : value,
  ]);
  return Object.fromEntries(members);
}
