import { lauxlib, lua, lualib, to_jsstring, to_luastring } from 'fengari';

/** A value that Redis and a script give each other. */
export type LuaValue = string | number | null | readonly LuaValue[];
type Call = (command: string, args: readonly string[]) => LuaValue;

/** Runs scripts as Redis does: with `KEYS`, `ARGV` and `redis.call`. Every script is compiled once. */
export class LuaEngine {
  readonly #state = lauxlib.luaL_newstate();
  readonly #compiled = new Set<string>();
  #call: Call = () => null;

  constructor() {
    const state = this.#state;
    lualib.luaL_openlibs(state);
    lua.lua_newtable(state);
    lua.lua_pushcfunction(state, () => {
      const [command = '', ...args] = Array.from({ length: lua.lua_gettop(state) }, (_, index) =>
        this.#text(index + 1),
      );
      this.#push(this.#call(command, args));
      return 1;
    });
    lua.lua_setfield(state, -2, to_luastring('call'));
    lua.lua_setglobal(state, to_luastring('redis'));
  }

  /** @throws Error what the script has raised */
  run(script: string, keys: readonly string[], args: readonly string[], call: Call): LuaValue {
    const state = this.#state;
    this.#call = call;
    for (const [name, list] of [['KEYS', keys] as const, ['ARGV', args] as const]) {
      this.#push(list);
      lua.lua_setglobal(state, to_luastring(name));
    }
    const name = to_luastring(script);
    if (!this.#compiled.has(script)) {
      if (lauxlib.luaL_loadstring(state, name) !== lua.LUA_OK) throw new Error(this.#pop());
      lua.lua_setfield(state, lua.LUA_REGISTRYINDEX, name);
      this.#compiled.add(script);
    }
    lua.lua_getfield(state, lua.LUA_REGISTRYINDEX, name);
    if (lua.lua_pcall(state, 0, 1, 0) !== lua.LUA_OK) throw new Error(this.#pop());
    const answer = this.#value(-1);
    lua.lua_pop(state, 1);
    return answer;
  }

  #push(value: LuaValue): void {
    const state = this.#state;
    // "Conversion of Redis to Lua data types" in the documentation of Redis: nothing is `false`.
    if (value === null) lua.lua_pushboolean(state, false);
    else if (typeof value === 'number') lua.lua_pushinteger(state, value);
    else if (typeof value === 'string') lua.lua_pushstring(state, to_luastring(value));
    else {
      lua.lua_createtable(state, value.length, 0);
      for (const [index, one] of value.entries()) {
        this.#push(one);
        lua.lua_rawseti(state, -2, index + 1);
      }
    }
  }

  /** "Conversion of Lua to Redis data types": numbers become whole, and a table ends before its first `nil`. */
  #value(index: number): LuaValue {
    const state = this.#state;
    switch (lua.lua_type(state, index)) {
      case lua.LUA_TNUMBER:
        return Math.trunc(lua.lua_tonumber(state, index));
      case lua.LUA_TSTRING:
        return this.#text(index);
      case lua.LUA_TTABLE: {
        const values: LuaValue[] = [];
        for (let n = 1; ; n++) {
          lua.lua_rawgeti(state, index, n);
          const isEnd = lua.lua_type(state, -1) === lua.LUA_TNIL;
          if (!isEnd) values.push(this.#value(-1));
          lua.lua_pop(state, 1);
          if (isEnd) return values;
        }
      }
      default:
        return null;
    }
  }

  #text(index: number): string {
    const text = to_jsstring(lauxlib.luaL_tolstring(this.#state, index));
    lua.lua_pop(this.#state, 1);
    return text;
  }

  #pop(): string {
    const text = this.#text(-1);
    lua.lua_pop(this.#state, 1);
    return text;
  }
}
