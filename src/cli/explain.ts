import { type Explanation, explainRequest, type RequestToIdentify } from '../operator/index.ts';
import type { Given } from './arguments.ts';
import { EXIT, Failure, parseJson, usageFailure } from './failure.ts';
import { lines } from './format.ts';
import type { Report } from './report.ts';
import type { Terminal } from './terminal.ts';

/** The record id of an event. Needs no table. */
export async function explain(file: string, given: Given, terminal: Terminal): Promise<Report> {
  const { kind: _, ...json } = (await explained(file, given, terminal)).explanation;
  const { id, operation, fingerprint } = json;
  return { json, text: lines({ id, operation, ...selectedTexts(json), fingerprint }) };
}

type Guarded = Extract<Explanation, { kind: 'guarded' }>;

/** An event, and how its guard identifies it. @throws Failure where the guard refuses it, or does not guard it */
export async function explained(
  file: string,
  given: Given,
  terminal: Terminal,
): Promise<{ readonly event: unknown; readonly explanation: Guarded }> {
  const event = parseJson(file, await terminal.read(file));
  const operation = given.operation ?? terminal.environment['AWS_LAMBDA_FUNCTION_NAME'];
  if (operation === undefined) {
    throw usageFailure("--operation is required: the guard's option `operation`, or the Lambda function's name");
  }
  const explanation = explainRequest(await requestOf(given, operation, event));
  switch (explanation.kind) {
    case 'guarded':
      return { event, explanation };
    case 'refused': {
      const { kind: _, error, ...details } = explanation;
      const { code, message, advice, cause } = error;
      const why = cause instanceof Error ? `(${cause.message})` : undefined;
      throw new Failure(EXIT.refused, code, message, {
        advice: [advice, why].filter((text) => text !== undefined).join(' ') || undefined,
        details,
      });
    }
    case 'unguarded':
      throw new Failure(EXIT.refused, 'UNGUARDED', `This request has no record: ${explanation.reason}.`);
  }
}

/** What was selected, as JSON. */
export function selectedTexts(selected: Readonly<Record<string, unknown>>): { key?: string; scope?: string } {
  const text = (name: string) => (name in selected ? { [name]: JSON.stringify(selected[name]) ?? 'nothing' } : {});
  return { ...text('key'), ...text('scope') };
}

async function requestOf(given: Given, operation: string, event: unknown): Promise<RequestToIdentify> {
  const { http = false, key, scope, fingerprint, header, methods } = given;
  // A path means the same with and without it. Only this command needs the engine.
  const { jmespath } = await import('../jmespath/index.ts');
  const selectors = {
    ...(scope !== undefined && { scope: http && scope === 'anonymous' ? scope : jmespath(scope) }),
    ...(fingerprint !== undefined && { fingerprint: jmespath(fingerprint) }),
  };
  if (!http) {
    if (header !== undefined || methods !== undefined) throw usageFailure('--header and --methods go with --http');
    if (key === undefined) throw usageFailure('--key EXPRESSION or --http is required');
    return { operation, event, key: jmespath(key), ...selectors };
  }
  if (key !== undefined) throw usageFailure('--http takes the key from the header: it goes without --key');
  return {
    operation,
    event,
    http: {
      ...selectors,
      ...(header !== undefined && { headerName: header }),
      ...(methods !== undefined && { methods: methods.split(',').map((method) => method.trim()) }),
    },
  };
}
