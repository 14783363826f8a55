import { optionError } from '../../errors.ts';
import type { Script } from './scripts.ts';

/** A client of `ioredis` or `iovalkey`, or their `Cluster`. */
export interface IoRedis {
  evalsha(sha: string, keys: number, ...all: string[]): Promise<unknown>;
  eval(lua: string, keys: number, ...all: string[]): Promise<unknown>;
  readonly isCluster?: boolean;
}

/** A client of `redis` 5 or 6 that is connected, or its cluster. */
export interface NodeRedis {
  evalSha(sha: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(lua: string, given: { keys: string[]; arguments: string[] }): Promise<unknown>;
  readonly masters?: unknown;
}

export type RedisClient = IoRedis | NodeRedis;

export interface Connection {
  /** Sends the script itself only where Redis does not know it yet. */
  run(script: Script, key: string, args: readonly string[]): Promise<unknown>;
  /** The section `memory` of `INFO` of every master; empty where the client has no such command. */
  memory(): Promise<readonly string[]>;
  /** `WAIT`. @returns how many replicas have the writes of this connection */
  wait(replicas: number, millis: number): Promise<number>;
  readonly isCluster: boolean;
  /** Whether it sends again what got no answer, without a word: `autoResendUnfulfilledCommands` of `ioredis`. */
  readonly resends: boolean;
}

type Commands = {
  info?(section: string): Promise<unknown>;
  /** Of a cluster: its masters, as `ioredis` and as `redis` give them. */
  nodes?(role: 'master'): readonly Commands[];
  readonly masters?: readonly never[];
  nodeClient?(node: never): Commands | Promise<Commands>;
  wait?(replicas: number, millis: number): Promise<number>;
};

/** @throws TypeError when it is none of them */
export function connectionOf(client: unknown): Connection {
  const given = (typeof client === 'object' && client !== null ? client : {}) as Partial<IoRedis & NodeRedis>;
  const commands = given as Commands;
  const common = {
    memory: () => memoryOf(commands),
    wait: async (replicas: number, millis: number) => (await commands.wait?.(replicas, millis)) ?? 0,
    isCluster: given.isCluster === true || given.masters !== undefined,
  };
  if (typeof given.evalSha === 'function') {
    const redis = given as NodeRedis;
    const of = (key: string, args: readonly string[]) => ({ keys: [key], arguments: [...args] });
    return {
      ...common,
      resends: false,
      run: (script, key, args) =>
        knowing(
          () => redis.evalSha(script.sha, of(key, args)),
          () => redis.eval(script.lua, of(key, args)),
        ),
    };
  }
  if (typeof given.evalsha === 'function') {
    const redis = given as IoRedis;
    return {
      ...common,
      resends: true,
      run: (script, key, args) =>
        knowing(
          () => redis.evalsha(script.sha, 1, key, ...args),
          () => redis.eval(script.lua, 1, key, ...args),
        ),
    };
  }
  throw optionError('client', 'must be a client of ioredis, iovalkey or redis 5 or later');
}

async function memoryOf(client: Commands): Promise<readonly string[]> {
  const { masters } = client;
  const nodes = masters ? masters.map((node) => client.nodeClient?.(node)) : (client.nodes?.('master') ?? [client]);
  const asked = nodes.map(async (node) => String((await (await node)?.info?.('memory')) ?? ''));
  return Promise.all(asked);
}

async function knowing<T>(bySha: () => Promise<T>, whole: () => Promise<T>): Promise<T> {
  try {
    return await bySha();
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
    return whole();
  }
}
