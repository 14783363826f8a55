import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { usageFailure } from './failure.ts';

const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;

const EVERYWHERE = { json: FLAG, help: FLAG } as const;
const OF_A_TABLE = {
  store: TEXT,
  url: TEXT,
  schema: TEXT,
  'key-prefix': TEXT,
  table: TEXT,
  region: TEXT,
  endpoint: TEXT,
  attributes: TEXT,
  'sort-key': TEXT,
  codec: TEXT,
} as const;
const OF_A_WRITE = { yes: FLAG, force: TEXT, 'retention-seconds': TEXT } as const;

const OF_AN_EVENT = {
  key: TEXT,
  scope: TEXT,
  fingerprint: TEXT,
  operation: TEXT,
  http: FLAG,
  header: TEXT,
  methods: TEXT,
} as const;

const OPTIONS = {
  show: { ...EVERYWHERE, ...OF_A_TABLE, outcome: FLAG },
  release: { ...EVERYWHERE, ...OF_A_TABLE, ...OF_A_WRITE },
  complete: { ...EVERYWHERE, ...OF_A_TABLE, ...OF_A_WRITE, response: TEXT, 'no-response': FLAG },
  explain: { ...EVERYWHERE, ...OF_AN_EVENT },
  'migrate check': { ...EVERYWHERE, ...OF_A_TABLE, ...OF_AN_EVENT, powertools: TEXT },
  schema: { ...EVERYWHERE, table: TEXT, schema: TEXT },
} as const;

export type CommandName = keyof typeof OPTIONS;

/** The options as they were given. Each command knows which of them it has. */
export type Given = Partial<
  Readonly<
    Record<
      | keyof typeof OF_A_TABLE
      | 'force'
      | 'retention-seconds'
      | 'response'
      | Exclude<keyof typeof OF_AN_EVENT, 'http'>
      | 'powertools',
      string
    > &
      Record<'json' | 'help' | 'yes' | 'outcome' | 'no-response' | 'http', boolean>
  >
>;

export type Request =
  | { readonly kind: 'help'; readonly topic?: CommandName }
  | { readonly kind: 'version' }
  /** `subject` is the record id, or the event's file. */
  | { readonly kind: 'command'; readonly name: CommandName; readonly subject: string; readonly given: Given };

const SUBJECTS: Partial<Record<CommandName, string>> = { explain: 'event file, or -', schema: 'store: postgres' };

/** @throws Failure when they are no command */
export function parseRequest(argv: readonly string[]): Request {
  const [name, ...rest] = withTwoWords(argv);
  if (name === '--help' || name === '-h' || name === 'help') return { kind: 'help', ...topicOf(withTwoWords(rest)[0]) };
  if (name === '--version') return { kind: 'version' };
  if (name === undefined || !isCommand(name)) {
    const known = Object.keys(OPTIONS).join(', ');
    throw usageFailure(`${name === undefined ? 'a command is required' : `${name} is no command`}: ${known}`);
  }
  const { values, positionals } = parsed(name, rest);
  if (values.help === true) return { kind: 'help', topic: name };
  const [subject, ...more] = positionals;
  if (subject === undefined || subject === '' || more.length > 0) {
    throw usageFailure(`${name} takes one ${SUBJECTS[name] ?? 'record id'}`);
  }
  return { kind: 'command', name, subject, given: values };
}

/** Of a command of two words, the first element is its name. */
function withTwoWords(argv: readonly string[]): readonly string[] {
  const [first, second, ...rest] = argv;
  return first === 'migrate' && second === 'check' ? ['migrate check', ...rest] : argv;
}

function parsed(name: CommandName, args: readonly string[]): { values: Given; positionals: string[] } {
  try {
    const options: ParseArgsOptionsConfig = OPTIONS[name];
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Given, positionals };
  } catch (error) {
    // Node's message has line breaks.
    throw usageFailure((error instanceof Error ? error.message : String(error)).replaceAll(/[ \n]+/g, ' '));
  }
}

function topicOf(name: string | undefined): { topic?: CommandName } {
  return name !== undefined && isCommand(name) ? { topic: name } : {};
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(OPTIONS, name);
}
