/**
 * A module of Node.js, when it is needed. An `import` would run its ES module, which reads every lazy member. That of
 * `node:util` takes 5 ms at start, and that of `node:http` loads undici.
 */
export const getBuiltinModule: typeof process.getBuiltinModule = process.getBuiltinModule;
