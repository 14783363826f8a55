import { withInstantSend, recordedItems } from './instant-client.ts';
import { ourHandler, peerHandler } from './sides.ts';
import { context, httpEvent } from './event.ts';
const [side, kind = 'first', count = '60000'] = process.argv.slice(2);
const make = side === 'ours' ? ourHandler : peerHandler;
const items = await recordedItems((c) => make(c, { tableName: 't' })(httpEvent('k'), context()));
await withInstantSend(kind === 'replay' ? { existing: items.at(-1)! } : {}, async (client) => {
  const handler = make(client, { tableName: 't' });
  const events = Array.from({ length: 100 }, (_, i) => httpEvent(`k-${i}`));
  for (let i = 0; i < 3000; i++) await handler(events[i % 100]!, context());
  const s = process.cpuUsage();
  for (let i = 0; i < +count; i++) await handler(events[i % 100]!, context());
  const e = process.cpuUsage(s);
  console.log(side, kind, ((e.user + e.system) / +count).toFixed(1), 'us');
});
