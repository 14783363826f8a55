import { registerHooks } from 'node:module';

const NAME = 'middy-idempotency';

/** The package's public names are its sources here: what is tested is never an older build. */
const SOURCES: Readonly<Record<string, string>> = {
  [NAME]: 'index.ts',
  [`${NAME}/dynamodb`]: 'stores/dynamodb.ts',
  [`${NAME}/http`]: 'http/index.ts',
  [`${NAME}/jmespath`]: 'jmespath/index.ts',
};

registerHooks({
  resolve(specifier, context, nextResolve) {
    const source = SOURCES[specifier];
    const found = source === undefined ? specifier : new URL(`../../src/${source}`, import.meta.url).href;
    return nextResolve(found, context);
  },
});
