import { App, Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';

const stack = new Stack(new App(), 'Orders');
const settings = { entry: 'handler.js', runtime: Runtime.NODEJS_24_X };

new NodejsFunction(stack, 'Orders', {
  ...settings,
  bundling: { bundleAwsSDK: true, mainFields: ['module', 'main'], minify: true },
});

// For a handler with a top-level await.
new NodejsFunction(stack, 'OrdersInEsm', {
  ...settings,
  bundling: {
    bundleAwsSDK: true,
    mainFields: ['module', 'main'],
    minify: true,
    format: OutputFormat.ESM,
    banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    esbuildArgs: { '--alias:node:http': './node-http.cjs' },
  },
});
