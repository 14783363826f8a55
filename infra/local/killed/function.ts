import { createServer } from 'node:http';
import { listenHere } from '../../../tools/loopback.ts';
import type { ChargeRequest, Processor } from '../../payments/processor.ts';
import { readBody } from '../body.ts';
import { isFromHere } from '../from-here.ts';
import { type LocalFunctionOptions, localFunction } from '../function.ts';
import type { LambdaFunction } from '../server.ts';

/** A request of this machine with this header is one whose function dies. Its only value is `after-charge`. */
const KILL_HEADER = 'local-kill';

/** What the process asks the runner for. */
export interface ChargeOrder {
  readonly request: ChargeRequest;
  readonly key: string;
}

export interface KilledFunctionOptions extends LocalFunctionOptions {
  /** It outlives the function, as a real one does. */
  readonly processor: Processor;
}

export interface KilledFunction {
  /** The function, and for a request with `local-kill: after-charge` the one that dies. */
  instead(payments: LambdaFunction): LambdaFunction;
  stop(): Promise<void>;
}

/**
 * The payments function in a process of its own, for one request: SIGKILL once the processor has charged, and before
 * the process has the answer. A request that charges nothing gets its answer.
 */
export function killedFunction({ processor, environment, ...options }: KilledFunctionOptions): KilledFunction {
  const running = new Set<() => Promise<void>>();

  async function invoke(event: unknown): Promise<unknown> {
    const server = createServer(async (request, response) => {
      const order = JSON.parse(String(await readBody(request))) as ChargeOrder;
      await processor.charge(order.request, order.key).catch(() => undefined);
      await fn.stop();
      options.onLine('killed after the charge, before the answer');
      response.destroy();
    });
    const PROCESSOR_URL = await listenHere(server);
    const fn = localFunction({ ...options, environment: { ...environment, PROCESSOR_URL } });
    const stop = async () => {
      await fn.stop();
      server.close();
    };
    running.add(stop);
    try {
      return await fn.invoke(event);
    } finally {
      running.delete(stop);
      await stop();
    }
  }

  return {
    instead: (payments) => (event, context) =>
      event.headers[KILL_HEADER] === 'after-charge' && isFromHere(event.headers)
        ? invoke(event)
        : payments(event, context),
    async stop() {
      await Promise.all([...running].map((stop) => stop()));
    },
  };
}
