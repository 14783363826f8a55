import { FLAG, parseOptions, UsageError } from '../../tools/arguments.ts';
import { onStopSignal } from '../../tools/signals.ts';
import { BUILT, buildPlayground } from './build.ts';
import { servePlayground } from './server.ts';

const HELP = `npm run docs:playground -- [--build]

Builds the playground, and serves it on this machine until Ctrl-C. It is built again whenever the page is loaded.

  --build  Builds it into ${BUILT.slice(process.cwd().length + 1)} and ends.
  --help
`;

async function main(args: readonly string[]): Promise<void> {
  const { build: endsThen, help } = parseOptions(args, { build: FLAG });
  if (help) {
    console.log(HELP);
    return;
  }
  const bytes = await buildPlayground();
  console.log(`Built: playground.js has ${Math.round(bytes / 1000)} KB`);
  if (endsThen) return;
  const { url, close } = await servePlayground(() => buildPlayground());
  onStopSignal(close);
  console.log(`The playground is at ${url}. Ctrl-C ends it.`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${HELP}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
