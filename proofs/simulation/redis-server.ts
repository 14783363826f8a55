import type { Seen } from '../lib/history.ts';
import { LuaEngine, type LuaValue } from './lua.ts';
import { type Answered, type Rows, seen } from './table.ts';

interface Key {
  readonly fields: Map<string, string>;
  /** Epoch milliseconds. */
  expiresAt: number;
}

/** One for all schedules: a script leaves nothing behind. */
let engine: LuaEngine | undefined;

/** Redis, as much as the store needs of it: it runs the scripts themselves, one after the other, over keys with fields. */
export class RedisServer implements Rows {
  readonly #keys = new Map<string, Key>();
  readonly #scripts = new Map<string, string>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  ids(): Iterable<string> {
    return this.#keys.keys();
  }

  seen(key: string): Seen | undefined {
    const record = this.#keys.get(key)?.fields.get('record');
    return record === undefined ? undefined : seen(JSON.parse(record));
  }

  /** The key's own. */
  expiration(key: string): number {
    return (this.#keys.get(key)?.expiresAt ?? 0) / 1000;
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }

  knows(sha: string, script: string): void {
    this.#scripts.set(sha, script);
  }

  /** EVALSHA, or EVAL where the whole script is given. */
  run(script: string, isSha: boolean, key: string, args: readonly string[]): Answered<LuaValue> {
    const lua = isSha ? this.#scripts.get(script) : script;
    if (lua === undefined) return { answer: 'NOSCRIPT', wrote: false, pending: true };
    engine ??= new LuaEngine();
    let wrote = false;
    const answer = engine.run(lua, [key], args, (command, [name = '', ...rest]) => {
      wrote ||= ['HSET', 'DEL'].includes(command);
      return this.#command(command, name, rest);
    });
    return { answer, wrote };
  }

  #command(command: string, name: string, args: readonly string[]): LuaValue {
    const key = this.#keys.get(name);
    const field = (of: string) => key?.fields.get(of) ?? null;
    switch (command) {
      case 'EXISTS':
        return key === undefined ? 0 : 1;
      case 'HGET':
        return field(args[0] ?? '');
      case 'HMGET':
        return args.map(field);
      case 'HSET': {
        const fields = key?.fields ?? new Map<string, string>();
        for (let n = 0; n < args.length; n += 2) fields.set(args[n] ?? '', args[n + 1] ?? '');
        this.#keys.set(name, { fields, expiresAt: key?.expiresAt ?? Number.POSITIVE_INFINITY });
        return args.length / 2;
      }
      case 'PEXPIREAT':
        if (key !== undefined) key.expiresAt = Number(args[0]);
        return 1;
      case 'DEL':
        return this.#keys.delete(name) ? 1 : 0;
      case 'TIME':
        return [String(Math.floor(this.#now() / 1000)), '0'];
      default:
        throw new Error(`simulation: a command that is not known: ${command}`);
    }
  }
}
