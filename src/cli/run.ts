import { readFileSync } from 'node:fs';
import { type CommandName, parseRequest } from './arguments.ts';
import { explain, selectedTexts } from './explain.ts';
import { EXIT, type Failure, failureOf } from './failure.ts';
import { lines, printable, recordText } from './format.ts';
import { helpText } from './help.ts';
import { migrateCheck } from './migrate.ts';
import { schema } from './other-stores.ts';
import { complete, release, show } from './records.ts';
import type { Report } from './report.ts';
import type { Terminal } from './terminal.ts';

const COMMANDS = { show, release, complete, explain, 'migrate check': migrateCheck, schema } satisfies Record<
  CommandName,
  unknown
>;

/** Carries out a command line, and returns its exit code. Never throws. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const isJson = argv.includes('--json');
  try {
    const { json, text } = await perform(argv, terminal);
    terminal.out(isJson ? asJson(json) : text);
    return EXIT.done;
  } catch (error) {
    const failure = failureOf(error);
    if (isJson) terminal.out(asJson(failureJson(failure)));
    else terminal.tell(failureText(failure));
    return failure.exitCode;
  }
}

async function perform(argv: readonly string[], terminal: Terminal): Promise<Report> {
  const request = parseRequest(argv);
  switch (request.kind) {
    case 'help': {
      const text = helpText(request.topic);
      return { json: { help: text }, text };
    }
    case 'version': {
      const version = packageVersion();
      return { json: { version }, text: `${version}\n` };
    }
    case 'command':
      return COMMANDS[request.name](request.subject, request.given, terminal);
  }
}

/** `package.json` is two folders up, in the sources as in what is published. */
function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

function failureJson({ code, message, advice, details }: Failure): object {
  return { error: { code, message, ...(advice !== undefined && { advice }) }, ...details };
}

function failureText({ code, message, advice, details }: Failure): string {
  const record = details['record'] as Parameters<typeof recordText>[0] | undefined;
  const why = advice === undefined ? '' : `${printable(advice)}\n`;
  const more = record === undefined ? lines({ ...selectedTexts(details) }) : `\n${recordText(record)}`;
  return `${printable(`middy-idempotency: ${code}: ${message}`)}\n${why}${more}`;
}

function asJson(value: object): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.split('\n').map(printable).join('\n')}\n`;
}
