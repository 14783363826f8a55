import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * A plain Node process that loads a handler as Lambda's runtime does: `<module>.<export>`, the module below the folder
 * of the code package. Started with that folder, the handler's name, the function's name and its timeout; invoked by
 * messages of its parent.
 */
const [taskRoot = '', handlerName = '', functionName = '', timeoutMillis = ''] = process.argv.slice(2);
const [moduleName = '', exportName = ''] = handlerName.split('.');
const file = ['.js', '.mjs', '.cjs'].map((extension) => join(taskRoot, moduleName + extension)).find(existsSync);
if (file === undefined) throw new Error(`there is no module ${moduleName} in the code package`);
const handler = (await import(pathToFileURL(file).href))[exportName];
if (typeof handler !== 'function') throw new Error(`the module ${moduleName} does not export ${exportName}`);

process.on('message', async ({ id, event }: { id: number; event: unknown }) => {
  const deadline = Date.now() + Number(timeoutMillis);
  const context = {
    functionName,
    awsRequestId: randomUUID(),
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
  try {
    process.send?.({ id, response: await handler(event, context) });
  } catch (error) {
    process.send?.({ id, error: String(error) });
  }
});
process.send?.({ ready: true });
