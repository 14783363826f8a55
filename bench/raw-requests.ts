import { signer } from '../src/stores/dynamodb/lite/sign.ts';

const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/** A request to DynamoDB, and nothing around it: `node:https`, a kept connection, a signature. What no client can do without. */
export function rawRequests(endpoint: string): (operation: string, body: string) => Promise<number> {
  const url = new URL(endpoint);
  const { Agent, request } = process.getBuiltinModule(url.protocol === 'http:' ? 'node:http' : 'node:https');
  const agent = new Agent({ keepAlive: true });
  const sign = signer({ region: 'local', service: 'dynamodb' });
  const target = { agent, method: 'POST', host: url.hostname, port: url.port };
  return (operation, body) => {
    const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      host: url.host,
      'x-amz-date': date,
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    };
    const authorization = sign({ path: '/', headers, body }, CREDENTIALS, date);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const sent = { ...headers, authorization, 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ ...target, headers: sent }, (incoming) => {
      incoming.resume().on('end', () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.on('error', reject).end(body);
    return promise;
  };
}
