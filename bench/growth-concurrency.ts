import { context, httpEvent } from './event.ts';
import type { DetailTable } from './finding.ts';
import { alternate, elapsedMillis, medians } from './rounds.ts';
import { type Handler, ourHandler, peerHandler } from './sides.ts';
import type { Local } from './table.ts';

const CONCURRENCY = [1, 4, 16, 64, 256];
const CALLS = 256;
const MAX_SOCKETS = 100;

/** Calls a second as more of them come at once: first calls on DynamoDB Local, which shares the machine. */
export async function growthOfConcurrency(
  local: Local,
  rounds: number,
  progress: (text: string) => void,
): Promise<DetailTable> {
  const tableName = await local.table('concurrency');
  const config = {
    requestHandler: { httpAgent: { maxSockets: MAX_SOCKETS }, socketAcquisitionWarningTimeout: 60_000 },
  };
  const clients = [local.client(config), local.client(config)] as const;
  const sides = { ours: ourHandler(clients[0], { tableName }), peer: peerHandler(clients[1], { tableName }) };
  const rows: (string | number)[][] = [];
  for (const concurrency of CONCURRENCY) {
    progress(`${concurrency} at once`);
    const run = (side: string, handler: Handler) => (round: number) =>
      elapsedMillis(() => inParallel(handler, concurrency, (n) => `${side}-${concurrency}-${round}-${n}`));
    const measured = await alternate(rounds, { ours: run('ours', sides.ours), peer: run('peer', sides.peer) });
    const { ours, peer } = medians(measured);
    rows.push([concurrency, ...[ours, peer].map((millis) => Math.round((CALLS / millis) * 1000))]);
  }
  for (const client of clients) client.destroy();
  return {
    title: `Growth with concurrency: first calls a second on DynamoDB Local, up to ${MAX_SOCKETS} connections`,
    columns: ['at once', 'ours', 'peer'],
    rows,
  };
}

async function inParallel(handler: Handler, concurrency: number, keyOf: (index: number) => string): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < CALLS) await handler(httpEvent(keyOf(next++)), context());
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
