export default {
  mode: 'production',
  target: 'node22',
  entry: './handler.js',
  output: { filename: 'handler.mjs', module: true, library: { type: 'module' } },
  experiments: { outputModule: true },
};
