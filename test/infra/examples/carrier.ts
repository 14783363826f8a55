import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Booking {
  readonly orderId: string;
  readonly idempotencyKey: string;
}

/** A carrier's API. It refuses orders without an address, and books once for each idempotency key. */
export async function startCarrier() {
  const asked: Booking[] = [];
  const server = createServer(async (request, response) => {
    const { orderId, address } = JSON.parse(await text(request));
    if (address === undefined) return response.writeHead(422).end();
    asked.push({ orderId, idempotencyKey: String(request.headers['idempotency-key']) });
    if (carrier.losesAnswers) return response.destroy();
    return response.writeHead(201).end(`shipment of ${orderId}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const carrier = {
    url: `http://127.0.0.1:${port}`,
    /** Every call that it would book. */
    asked,
    booked: () => [...new Set(asked.map(({ idempotencyKey }) => idempotencyKey))],
    losesAnswers: false,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return carrier;
}
