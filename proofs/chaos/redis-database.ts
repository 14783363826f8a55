import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { startRedis } from '../../tools/redis.ts';
import type { Arena } from './arena.ts';
import type { WallClock } from './clock.ts';
import type { Faults } from './faults.ts';
import { type Change, eventsOf, type Recorded } from './recorded.ts';
import { startTcpProxy } from './tcp-proxy.ts';

const HISTORY = 'history';

/** The script, and in the same moment a line of what it has changed: Redis keeps both, or neither. */
export function noting(lua: string): string {
  return `local before = redis.call('HGET', KEYS[1], 'record') or ''
local answer = (function()
${lua}
end)()
local after = redis.call('HGET', KEYS[1], 'record') or ''
if before ~= after then
  local now = redis.call('TIME')
  redis.call('RPUSH', '${HISTORY}', now[1] .. '.' .. string.format('%06d', now[2]), before, after)
end
return answer`;
}

/** Redis that keeps what it has confirmed, behind a proxy. It keeps the history itself. */
export async function redisArena(faults: Faults, clock: WallClock): Promise<Arena> {
  const server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  const proxy = await startTcpProxy({
    port: server.port,
    faults,
    isRequest: (sent) => /eval/i.test(sent.subarray(0, 40).toString('latin1')),
    repeat: (sent) => sendAgain(server.port, sent),
  });
  return {
    endpoint: `redis://127.0.0.1:${proxy.port}`,
    name: 'Redis',
    requests: proxy.requests,
    async killAndRestart() {
      await server.kill();
      await server.restart();
    },
    async witness() {
      const client = new Redis(server.port, '127.0.0.1');
      const lines = await client.lrange(HISTORY, 0, -1);
      client.disconnect();
      const changes = Array.from({ length: lines.length / 3 }, (_, n): Change => {
        const [at, before, after] = lines.slice(3 * n, 3 * n + 3);
        return { at: clock.toTrue(Number(at) * 1000), before: recordOf(before), after: recordOf(after), effects: 0 };
      });
      return { events: eventsOf(changes), violations: [] };
    },
    async stop() {
      clock.stop();
      await proxy.close();
      await server.stop();
    },
  };
}

function recordOf(text: string | undefined): Recorded | undefined {
  return text === undefined || text === '' ? undefined : JSON.parse(text);
}

const ANSWERED_MILLIS = 1000;

/** On a connection of its own. The answer is not read. */
async function sendAgain(port: number, sent: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(sent);
  setTimeout(() => socket.destroy(), ANSWERED_MILLIS).unref();
}
