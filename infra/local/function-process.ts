import { randomUUID } from 'node:crypto';
import { createContext } from '../../tools/context.ts';

/**
 * The process of one Lambda function: loads the module, and gives its `handler` the events that come as messages. It can be
 * killed at any time, as Lambda's can.
 */
const [module = '', functionName = '', timeoutMillis = ''] = process.argv.slice(2);
// The terminal's Ctrl-C reaches every process. The parent of this one decides when it ends.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
const { handler } = await import(module);

process.on('message', async (event: unknown) => {
  const context = createContext(randomUUID(), { functionName, timeoutMillis: Number(timeoutMillis) });
  const answer = await Promise.resolve()
    .then(() => handler(event, context))
    .then(
      (response: unknown) => ({ response }),
      (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  if (process.connected) process.send?.(answer);
});
process.send?.('ready');
