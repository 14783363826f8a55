import { createHash } from 'node:crypto';

const WORDS =
  'adapter battery bottle brake cable camera candle carpet charger chisel clamp coffee compass cotton drill filter flask garden glove hammer hinge jacket kettle ladder lantern leather lemon linen marble mirror needle notebook olive organic paper pepper pillow printer saddle screw silver spoon steel stone table tea timber towel varnish velvet walnut wireless wool'.split(
    ' ',
  );
const NAMES = 'Amara Bruno Chiara Dmitri Elif Farid Greta Hiro Ines Jakub Kofi Lena Mateo Noor Oskar Priya'.split(' ');
const CITIES = [
  'Zürich',
  'København',
  'São Paulo',
  'Kraków',
  'Lyon',
  'Nairobi',
  'Osaka',
  'Toronto',
  'Leeds',
  'Valparaíso',
];
const STATUSES = ['succeeded', 'authorized', 'refunded', 'failed', 'requires_action'];

/** Numbers in [0, 1) that are the same in every run (mulberry32, by Tommy Ettinger, public domain). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that nothing compresses, the same in every run. */
export function incompressible(length: number, seed = 1): Buffer {
  const blocks: Buffer[] = [];
  for (let index = 0; index * 32 < length; index++)
    blocks.push(createHash('sha256').update(`${seed}:${index}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/**
 * The response of a payments API through API Gateway, as JSON text of at least `bytes` bytes: payments with ids, times,
 * amounts, addresses and line items, of which no two are alike.
 */
export function apiResponse(bytes: number, seed = 1): { statusCode: number; headers: object; body: string } {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = (list: readonly string[]) => list[below(list.length)];
  const hex = (length: number) => Array.from({ length }, () => below(16).toString(16)).join('');
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  const time = () => new Date(1_760_000_000_000 + below(30_000_000) * 1000).toISOString();
  const item = () => ({
    sku: hex(10),
    title: `${pick(WORDS)} ${pick(WORDS)}`,
    quantity: 1 + below(5),
    price: below(90_000),
  });
  const payment = () => ({
    id: uuid(),
    object: 'payment',
    status: pick(STATUSES),
    amount: below(1_000_000),
    currency: pick(['EUR', 'USD', 'GBP', 'JPY']),
    created: time(),
    captured: random() < 0.7 ? time() : null,
    customer: { id: `cus_${hex(14)}`, name: pick(NAMES), city: pick(CITIES), email: `${hex(6)}@example.com` },
    card: { brand: pick(['visa', 'mastercard', 'amex']), last4: String(1000 + below(9000)), fingerprint: hex(16) },
    ...(bytes > 1000 && {
      items: Array.from({ length: 1 + below(4) }, item),
      receipt: `https://pay.example/r/${hex(32)}`,
    }),
  });
  const data: object[] = [payment()];
  const response = () => ({
    statusCode: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(bytes > 1000 ? { object: 'list', data } : data[0]),
  });
  for (let size = JSON.stringify(response()).length; size < bytes; ) {
    const next = payment();
    data.push(next);
    // Quotes are escaped once more in `body`.
    size += JSON.stringify(JSON.stringify(next)).length - 1;
  }
  return response();
}
