import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { listenHere } from '../../tools/loopback.ts';
import type { Stop } from './stop.ts';

/** One effect, as whoever had it answers it. */
export interface Happened {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
}

interface Asked {
  readonly by: string;
  readonly effect: string;
  readonly key?: string;
}

/** The rest of the world, as a process sees it: systems that know nothing of the record. */
export interface World {
  /** Has the effect. `key` is for a system that knows its calls by a key: asked again with it, it answers as before. */
  happen(effect: string, key?: string): Promise<Happened>;
}

/** A connection that was idle could be closed in the moment in which it is used again. */
const agent = new Agent({ keepAlive: false });

/** The world at `url`, with a place before the call of an effect leaves and after its answer has arrived. */
export function worldAt(url: string, by: string, stop: Stop): World {
  return {
    async happen(effect, key) {
      stop(effect, 'leaving');
      const outward = request(url, { method: 'POST', agent });
      outward.end(JSON.stringify({ by, effect, key } satisfies { [K in keyof Asked]: Asked[K] | undefined }));
      const [answer] = await once(outward, 'response');
      const happened = (await json(answer)) as Happened;
      stop(effect, 'answered');
      return happened;
    },
  };
}

export interface RunningWorld {
  readonly url: string;
  close(): Promise<void>;
}

/** Has the effects that it is asked for, outside of the processes that are killed. `onAsked` keeps the journal. */
export async function startWorld(onAsked: (asked: Asked) => Promise<Happened>): Promise<RunningWorld> {
  const server = createServer(async (incoming, outgoing) => {
    // Whoever asked may be dead when it is answered.
    outgoing.on('error', () => undefined);
    try {
      outgoing.end(JSON.stringify(await onAsked((await json(incoming)) as Asked)));
    } catch {
      outgoing.destroy();
    }
  });
  return {
    url: await listenHere(server),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
