import { readFileSync } from 'node:fs';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type Schema, violations } from './json-schema.ts';

type Examples = Readonly<Record<string, { readonly value: unknown }>>;
export type Content = Readonly<Record<string, { readonly schema: Schema; readonly examples: Examples }>>;

interface DeclaredResponse {
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Content;
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, object>>;
}

export const document = JSON.parse(
  readFileSync(new URL('../../../infra/payments/openapi.json', import.meta.url), 'utf8'),
);

export const problemSchema: Schema = document.components.schemas.Problem;
export const requestSchema: Schema = document.components.schemas.PaymentRequest;

/** Follows a reference within the document, if it is one. */
export function resolved<T>(value: object): T {
  const ref = (value as { readonly $ref?: string }).$ref;
  return (ref === undefined ? value : resolveRef(ref)) as T;
}

function resolveRef(ref: string): Schema {
  const path = ref.replace(/^#\//, '').split('/');
  const found = path.reduce((at, name) => at?.[name], document);
  if (found === undefined) throw new Error(`${ref} is not in the document`);
  return found;
}

/** All operations as `POST /payments`. */
export function operations(): ReadonlyMap<string, Operation> {
  const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
  const entries = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.includes(method))
      .map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
  return new Map(entries);
}

export function operationOf(method: string, path: string): Operation | undefined {
  return operations().get(`${method} ${path.replace(/[0-9a-f-]{36}/, '{id}')}`);
}

export function bodyViolations(schema: Schema, value: unknown): string[] {
  return violations(schema, value, resolveRef);
}

/** What in an answer the document does not declare for the operation: status, media type, headers, body, problem. */
export function undeclared(operation: Operation, answer: APIGatewayProxyStructuredResultV2): string[] {
  const declared = operation.responses[String(answer.statusCode)];
  if (declared === undefined) return [`status ${answer.statusCode}`];
  const { headers = {}, content = {} } = resolved<DeclaredResponse>(declared);
  const sent = new Map(Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  return [...headerViolations(headers, sent), ...contentViolations(content, sent.get('content-type'), answer.body)];
}

/** Not of the operation: of the message, or of every problem. */
const COMMON_HEADERS = ['content-type', 'cache-control', 'link'];

function headerViolations(declared: Readonly<Record<string, object>>, sent: ReadonlyMap<string, unknown>): string[] {
  const known = Object.keys(declared).map((name) => name.toLowerCase());
  const extra = [...sent.keys()].filter((name) => !known.includes(name) && !COMMON_HEADERS.includes(name));
  const wrong = Object.entries(declared).flatMap(([name, header]) => {
    const { required = false, schema } = resolved<{ required?: boolean; schema: Schema }>(header);
    const value = sent.get(name.toLowerCase());
    if (value === undefined) return required ? [`the header ${name} is missing`] : [];
    return violations(schema, value, resolveRef, `the header ${name}`);
  });
  return [...extra.map((name) => `the header ${name}`), ...wrong];
}

function contentViolations(content: Content, type: unknown, body: string | undefined): string[] {
  if (Object.keys(content).length === 0) return body === undefined && type === undefined ? [] : ['a body'];
  const declared = content[String(type)];
  if (declared === undefined) return [`the content type ${type}`];
  const value = JSON.parse(body ?? '');
  const wrong = bodyViolations(declared.schema, value);
  return type === 'application/problem+json' ? [...wrong, ...problemViolations(declared.examples, value)] : wrong;
}

/** Every type of problem that an operation answers is there as an example, with the status and title that it has. */
function problemViolations(examples: Examples, problem: Readonly<Record<string, unknown>>): string[] {
  const known = Object.values(examples).map(({ value }) => value as Readonly<Record<string, unknown>>);
  const example = known.find(({ type }) => type === problem['type']);
  if (example === undefined) return [`the problem ${problem['type']}`];
  return ['title', 'status'].filter((name) => example[name] !== problem[name]).map((name) => `${name} of the problem`);
}
