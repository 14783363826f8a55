import { startupSnapshot } from 'node:v8';
import { idempotent, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';

/** What a clone says on its standard output, one JSON text a line. It reads the answers to its verbs in the same form. */
export type CloneLine =
  | { readonly verb: 'insert' | 'replace' | 'remove' | 'read'; readonly args: readonly unknown[] }
  | { readonly ended: string };

// It has served a request before the snapshot is taken, as a warm process has.
void idempotent(async () => 'warm', { store: memoryStore(), operation: 'warm', key: () => 'warm' })();

startupSnapshot.setDeserializeMainFunction(() => {
  const answers = linesOf(process.stdin);
  const ask =
    (verb: string) =>
    async (...args: unknown[]) => {
      say({ verb, args });
      const { value = '' } = await answers.next();
      return JSON.parse(value).answer;
    };
  const store: RecordStore = {
    insert: ask('insert'),
    replace: ask('replace'),
    remove: ask('remove'),
    read: ask('read'),
  };
  const charge = idempotent(async () => 'executed', { store, operation: 'charge', key: () => process.argv.at(-1) });
  charge().then(
    (result) => say({ ended: result }),
    (error: { readonly code?: string }) => say({ ended: error.code ?? String(error) }),
  );
});

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function* linesOf(input: AsyncIterable<unknown>): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  return undefined;
}
