import { once } from 'node:events';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { afterEach } from 'vitest';
import { type Gateway, type LambdaFunction, openGateway } from '../../infra/local/server.ts';

const FUNCTION = { functionName: 'function', timeoutMillis: 5000 };

/** For a test file: opens a gateway in front of a function, and closes it after the test. */
export function useGateway() {
  let gateway: Gateway | undefined;
  afterEach(() => gateway?.close());

  return async (lambda: LambdaFunction | undefined, { timeoutMillis = FUNCTION.timeoutMillis } = {}) => {
    const log: string[] = [];
    gateway = await openGateway({ ...FUNCTION, timeoutMillis, port: 0, log: (line) => log.push(line) });
    if (lambda !== undefined) gateway.invoke(lambda);
    const { origin } = gateway;

    /** Not with fetch, which joins and renames what is to be seen here. */
    async function send(path: string, options: RequestOptions = {}, body?: string | Buffer): Promise<IncomingMessage> {
      const sent = request(`${origin}${path}`, options).end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return response;
    }
    return { origin, log, send };
  };
}
