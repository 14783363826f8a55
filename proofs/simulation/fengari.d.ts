/** What is used of `fengari`, a Lua in JavaScript, with its C API ("Lua 5.3 Reference Manual", section 4). */
declare module 'fengari' {
  type State = { readonly lua_State: unique symbol };
  type Text = Uint8Array;

  export function to_luastring(text: string): Text;
  export function to_jsstring(text: Text): string;
  export const lauxlib: {
    luaL_newstate(): State;
    luaL_loadstring(state: State, program: Text): number;
    luaL_tolstring(state: State, index: number): Text;
  };
  export const lualib: { luaL_openlibs(state: State): void };
  export const lua: {
    readonly LUA_OK: number;
    readonly LUA_REGISTRYINDEX: number;
    readonly LUA_TNIL: number;
    readonly LUA_TNUMBER: number;
    readonly LUA_TSTRING: number;
    readonly LUA_TTABLE: number;
    lua_createtable(state: State, list: number, names: number): void;
    lua_getfield(state: State, index: number, name: Text): number;
    lua_gettop(state: State): number;
    lua_newtable(state: State): void;
    lua_pcall(state: State, args: number, results: number, handler: number): number;
    lua_pop(state: State, count: number): void;
    lua_pushboolean(state: State, value: boolean): void;
    lua_pushcfunction(state: State, fn: (state: State) => number): void;
    lua_pushinteger(state: State, value: number): void;
    lua_pushnumber(state: State, value: number): void;
    lua_pushstring(state: State, text: Text): void;
    lua_rawgeti(state: State, index: number, n: number): void;
    lua_rawseti(state: State, index: number, n: number): void;
    lua_setfield(state: State, index: number, name: Text): void;
    lua_setglobal(state: State, name: Text): void;
    lua_tonumber(state: State, index: number): number;
    lua_type(state: State, index: number): number;
  };
}
