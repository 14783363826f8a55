// `import 'node:http'` in an ES module also loads Node's WebSocket client. This does not.
module.exports = process.getBuiltinModule('node:http');
