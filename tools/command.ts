import { parseOptions, UsageError } from './arguments.ts';
import type { Option } from './options.ts';
import { onStopSignal } from './signals.ts';

/** What ends something that was started. */
export type Stop = () => Promise<unknown>;

type Options = Readonly<Record<string, Option<unknown>>>;

/** What a command line has said. */
export type SettingsOf<Given extends Options> = {
  readonly [Name in keyof Given]: Given[Name] extends Option<infer Value> ? Value : never;
};

export interface Command<Given extends Options> {
  /** Of the npm script. */
  readonly name: string;
  /** What it does, for its help: paragraphs. */
  readonly about: string;
  readonly options: Given;
  /** Whether it works with a DynamoDB Local that runs already. @default false */
  readonly takesEndpoint?: boolean;
  /**
   * Puts into `stops` what must be ended, whatever happens.
   *
   * @returns whether all was well. @throws UsageError when the settings do not go together: the help is printed
   */
  readonly run: (settings: SettingsOf<Given>, stops: Stop[]) => Promise<boolean>;
}

/**
 * Runs it, and ends all that it has started, the last first. Exit codes: 0; 1 when not all was well; 2 for a wrong command
 * line; 130 after Ctrl-C.
 */
export async function runCommand<const Given extends Options>(command: Command<Given>): Promise<void> {
  try {
    process.exitCode = await perform(command);
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${helpOf(command)}` : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

async function perform<Given extends Options>(command: Command<Given>): Promise<number> {
  const settings = readSettings(command, process.argv.slice(2));
  if (settings === undefined) {
    console.log(helpOf(command));
    return 0;
  }
  const stops: Stop[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  const stopping = onStopSignal(async () => {
    await stopAll();
    console.log('Stopped');
    process.exit(130);
  });
  try {
    const isRight = await command.run(settings, stops);
    await stopAll();
    return isRight ? 0 : 1;
  } catch (error) {
    // What fails while everything is being stopped, fails because of that.
    if (stopping.aborted) return 130;
    await stopAll();
    throw error;
  }
}

/** @returns undefined where help is asked for. @throws UsageError */
export function readSettings<Given extends Options>(
  { options }: Pick<Command<Given>, 'options'>,
  args: readonly string[],
): SettingsOf<Given> | undefined {
  const entries = Object.entries(options);
  const { help, ...given } = parseOptions(
    args,
    Object.fromEntries(entries.map(([name, { type, multiple = false }]) => [name, { type, multiple }])),
  ) as Readonly<Record<string, string | boolean | string[] | undefined>>;
  if (help === true) return undefined;
  return Object.fromEntries(
    entries.map(([name, option]) => [name, option.read(`--${name}`, given[name])]),
  ) as SettingsOf<Given>;
}

const COLUMNS = 100;

export function helpOf<Given extends Options>({ name, about, options, takesEndpoint }: Command<Given>): string {
  const named = Object.entries(options).map(([option, { takes, help }]) => {
    return [takes === undefined ? `--${option}` : `--${option} <${takes}>`, help] as const;
  });
  const lines = [...named, ['-h, --help', 'Print this.'] as const];
  const endpoint = [
    'DYNAMODB_ENDPOINT',
    'A DynamoDB Local that runs already, such as http://127.0.0.1:8000. Default: one is started.',
  ] as const;
  return [
    `Usage: npm run ${name} -- [options]`,
    wrapped(about, 0),
    `Options:\n${listed(lines)}`,
    ...(takesEndpoint === true ? [`Environment:\n${listed([endpoint])}`] : []),
  ].join('\n\n');
}

function listed(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length)) + 4;
  return lines.map(([name, help]) => `  ${name}`.padEnd(width) + wrapped(help, width)).join('\n');
}

/** Lines behind the first are indented. */
function wrapped(text: string, indent: number): string {
  let column = indent;
  return text
    .trim()
    .split(/\s+/)
    .map((word, index) => {
      const fits = index === 0 || column + word.length < COLUMNS;
      column = (fits ? column : indent) + word.length + 1;
      return index === 0 ? word : fits ? ` ${word}` : `\n${' '.repeat(indent)}${word}`;
    })
    .join('');
}
