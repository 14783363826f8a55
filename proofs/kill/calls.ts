import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from '../../src/index.ts';
import { completeRecord, releaseRecord } from '../../src/operator/index.ts';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { liteStore } from '../lib/lite-store.ts';
import { GUARDS } from './guards.ts';
import { readRequest } from './requests.ts';
import type { Stop } from './stop.ts';
import type { Answer, Call, Setting } from './terms.ts';
import { worldAt } from './world.ts';

type Body = string | Uint8Array;

/** The SDK warns of its body's own methods. */
function textOf(body: Body): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

/** Makes the calls of a process: each with a guard of its own, over one client. */
export function createCalls({ dynamoDB, store: storeName, world, tables }: Setting) {
  let stop: Stop = () => undefined;
  const client = new DynamoDBClient({
    endpoint: dynamoDB,
    ...LOCAL_ACCESS,
  });
  // The innermost of the client's middlewares: between it and the socket nothing is decided.
  client.middlewareStack.add(
    (next) => async (args) => {
      const { headers, body } = args.request as { headers: Record<string, string>; body: Body };
      const { name } = readRequest(headers['x-amz-target'], textOf(body), tables.records);
      stop(name, 'leaving');
      const answer = await next(args);
      stop(name, 'answered');
      return answer;
    },
    { step: 'deserialize', priority: 'low' },
  );
  const store =
    storeName === 'sdk'
      ? dynamoDBStore({ tableName: tables.records, client })
      : liteStore({ endpoint: dynamoDB, tableName: tables.records }, async ({ headers, body }, send) => {
          const { name } = readRequest(headers['x-amz-target'], body, tables.records);
          stop(name, 'leaving');
          const answer = await send();
          stop(name, 'answered');
          return answer;
        });

  return {
    async make(call: Call, given: Stop): Promise<Answer> {
      stop = given;
      const { by, feature, order, waitMillis = 0, prepares = false, prepared = '' } = call;
      const guard = GUARDS[feature];
      if (guard === undefined) throw new Error(`no such feature: ${feature}`);
      const { pay, prepare = pay } = guard({
        ...{ store, client, tables, prepared, waitMillis },
        world: worldAt(world, by, stop),
      });
      try {
        return { kind: 'returned', text: JSON.stringify(await (prepares ? prepare : pay)(order)) };
      } catch (error) {
        if (error instanceof IdempotencyError) return { kind: 'refused', code: error.code };
        return { kind: 'threw', message: error instanceof Error ? error.message : String(error) };
      }
    },

    async resolve(recordId: string, response: unknown): Promise<string> {
      const record = await store.read(recordId);
      if (record === undefined) return 'notFound';
      const resolved =
        response === undefined
          ? await releaseRecord(store, recordId, record)
          : await completeRecord(store, recordId, record, response);
      return resolved.kind;
    },
  };
}
