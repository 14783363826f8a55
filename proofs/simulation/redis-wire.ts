import { createHash } from 'node:crypto';
import type { RecordStore } from '../../src/core/record/store.ts';
import { SCRIPTS } from '../../src/stores/redis/scripts.ts';
import { redisStore } from '../../src/stores/redis.ts';
import type { LuaValue } from './lua.ts';
import type { RedisServer } from './redis-server.ts';
import type { World } from './world.ts';

/** `redisStore` itself, over a client of which only the connection is simulated. It sends again what got no answer. */
export function simulatedRedisStore(world: World, server: RedisServer): RecordStore<object> {
  const client = {
    evalsha: (sha: string, _: number, key: string, ...args: string[]) => send(sha, true, key, args),
    eval: (lua: string, _: number, key: string, ...args: string[]) => send(lua, false, key, args),
  };
  return redisStore({ client, keyPrefix: '', acknowledgeFailover: true }) as RecordStore<object>;

  async function send(script: string, isSha: boolean, key: string, args: readonly string[]): Promise<LuaValue> {
    const answer = await world.network.ask<LuaValue>({
      verb: verbOf(script),
      id: key,
      apply: () => {
        if (!isSha) server.knows(createHash('sha1').update(script).digest('hex'), script);
        return server.run(script, isSha, key, args);
      },
      failure: (why) => new Error(why === 'no answer' ? 'Connection is closed.' : 'NOPERM simulated'),
    });
    if (answer === 'NOSCRIPT') throw new Error('NOSCRIPT No matching script. Please use EVAL.');
    return answer;
  }
}

function verbOf(script: string): string {
  const found = Object.entries(SCRIPTS).find(([, { sha, lua }]) => script === sha || script === lua);
  if (found === undefined) throw new Error('simulation: a script that the store does not have');
  return found[0];
}
