import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { liteConnection } from '../src/stores/dynamodb/lite/connection.ts';
import { resolveTableOptions } from '../src/stores/dynamodb/options.ts';
import { recordStore } from '../src/stores/dynamodb/store.ts';
import { apiResponse } from '../tools/api-responses.ts';
import { LOCAL_ACCESS } from '../tools/clients.ts';
import { context, httpEvent, orderBody, RESPONSE } from './event.ts';
import { bareRequests, bareSdk, bareSdkWithConditions } from './floor.ts';
import { instantClient, useInstantSend, written } from './instant-client.ts';
import type { Calls, Measured, SideName, SideSpec } from './side.ts';
import {
  bareHandler,
  guardedBy,
  type Handler,
  ourHandler,
  peerHandler,
  peerWithPut,
  transactionHandler,
} from './sides.ts';

/** The process of one side: says how long its calls took. `side.ts` sends it a side first, and then calls to measure. */
process.once('message', (spec: SideSpec) => {
  const { responseBytes } = spec;
  const response = responseBytes === undefined ? RESPONSE : apiResponse(responseBytes);
  const handler = MAKERS[spec.side](spec, () => response);
  const body = spec.requestBytes === undefined ? undefined : orderBody('order-1', 'x'.repeat(spec.requestBytes));
  process.on('message', async (calls: Calls) => process.send?.(await measured(handler, calls, body, response)));
  process.send?.('ready');
});
process.once('disconnect', () => process.exit());

type Make = (spec: SideSpec, respond: () => object) => Handler;

const MAKERS: Readonly<Record<SideName, Make>> = {
  'bare Middy': (_, respond) => bareHandler(respond),
  'bare requests': ({ endpoint = '', tableName, items = [] }) => bareRequests(endpoint, tableName, items),
  'bare SDK': (spec) => bareSdk(sdk(spec), spec.tableName, spec.items ?? []),
  'bare SDK, our conditions': (spec) => bareSdkWithConditions(sdk(spec), spec.tableName, spec.items ?? []),
  ours: (spec, respond) => ourHandler(sdk(spec), { tableName: spec.tableName, respond }),
  lite: (spec, respond) => guardedBy(lite(spec), { respond }),
  peer: (spec, respond) => peerHandler(sdk(spec), { tableName: spec.tableName, respond }),
  'one transaction, lite': (spec) => transactionHandler(lite(spec), spec.orders ?? ''),
  'peer and a put': (spec) => peerWithPut(sdk(spec), spec.tableName, spec.orders ?? ''),
};

function sdk({ endpoint, existing, withoutClient = false }: SideSpec): DynamoDBClient {
  const answer = existing === undefined ? {} : { existing };
  if (withoutClient) useInstantSend(answer);
  return endpoint === undefined ? instantClient(answer) : new DynamoDBClient({ endpoint, ...LOCAL_ACCESS });
}

function lite({ endpoint, existing, tableName }: SideSpec) {
  const options = resolveTableOptions({ tableName });
  if (endpoint !== undefined) return recordStore(options, liteConnection({ ...LOCAL_ACCESS, endpoint }));
  const { statusCode: status, body } = written(existing === undefined ? {} : { existing });
  const connect = () => async () => ({ status, headers: {}, body });
  return recordStore(options, liteConnection({ ...LOCAL_ACCESS, endpoint: 'http://127.0.0.1:1' }, { connect }));
}

async function measured(handler: Handler, calls: Calls, body: string | undefined, expected: object): Promise<Measured> {
  const { keys, from, count } = calls;
  const events = Array.from({ length: count }, (_, index) => httpEvent(`${keys}-${from + index}`, body));
  const millis: number[] = [];
  let answer: unknown;
  const before = process.cpuUsage();
  for (const event of events) {
    const startedAt = performance.now();
    answer = await handler(event, context());
    millis.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(before);
  // A side that fails would be fast. The order of members is DynamoDB's where a response is stored as a map.
  if (!isDeepStrictEqual(answer, expected)) throw new Error('a side answers something else');
  return { micros: (user + system) / count, millis };
}
