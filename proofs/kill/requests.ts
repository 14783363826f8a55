/** One request to DynamoDB, as far as the kill test reads it. */
export interface SentRequest {
  /** What it does, for a person: `claim`, `checkpoint`, `completion`, … */
  readonly name: string;
  /** Of the record that it writes. */
  readonly recordId?: string;
  /** The names of the steps whose results are in what it writes. */
  readonly keeps: readonly string[];
  /** Whether it stores an outcome. */
  readonly completes: boolean;
}

interface Put {
  readonly TableName: string;
  readonly Item: Readonly<Record<string, { readonly S?: string; readonly M?: object } | undefined>>;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, { readonly S?: string }>>;
}

/** Reads a request: `target` is the header that names its operation, `records` the table of the records. */
export function readRequest(target: unknown, body: string, records: string): SentRequest {
  const [, operation = ''] = String(target).split('.');
  const input = JSON.parse(body);
  switch (operation) {
    case 'PutItem':
      return input.TableName === records ? readPut(input) : nothing('insert');
    case 'TransactWriteItems': {
      const puts = (input.TransactItems as { readonly Put?: Put }[]).flatMap(({ Put }) => Put ?? []);
      const record = puts.find(({ TableName }) => TableName === records);
      return record === undefined ? nothing('transaction') : { ...readPut(record), name: 'transaction' };
    }
    case 'GetItem':
      return nothing('read');
    case 'UpdateItem':
      return nothing('update');
    default:
      return nothing(operation);
  }
}

function nothing(name: string): SentRequest {
  return { name, keeps: [], completes: false };
}

function readPut(put: Put): SentRequest {
  const { Item } = put;
  const recordId = Item['id']?.S ?? '';
  // A part of an outcome: its id ends with its number.
  if (Item['status'] === undefined) return nothing(`part ${recordId.split('#').at(-1)}`);
  const keeps = Object.keys(Item['checkpoints']?.M ?? {});
  return { name: nameOf(put, keeps), recordId, keeps, completes: Item['status'].S === 'COMPLETED' };
}

function nameOf({ Item, ConditionExpression, ExpressionAttributeValues }: Put, keeps: readonly string[]): string {
  if (Item['status']?.S === 'COMPLETED') return 'completion';
  if (Item['status']?.S === 'RELEASED') return 'release';
  if (ConditionExpression?.startsWith('attribute_not_exists')) return 'claim';
  if (ExpressionAttributeValues?.[':owner']?.S !== Item['owner']?.S) return 'takeover';
  return keeps.length > 0 ? 'checkpoint' : 'extension';
}
