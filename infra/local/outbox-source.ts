import type pg from 'pg';
import type { OutboxEvent } from '../outbox/postgres-outbox.ts';
import type { OutboxSourceOptions } from './backend.ts';
import { pause, runSource, type Source } from './source.ts';

const IDLE_MILLIS = 100;

/** Invokes the publisher when the outbox has events, where AWS has a schedule. */
export function pollTable({
  pool,
  invoke,
  repeats = () => false,
  onError,
}: OutboxSourceOptions & { readonly pool: pg.Pool }): Source {
  return runSource(async (signal) => {
    const { rows } = await pool.query<OutboxEvent>('SELECT id, event FROM outbox LIMIT 100');
    if (rows.length === 0) return pause(IDLE_MILLIS, signal);
    await invoke({});
    const again = rows.filter(repeats);
    if (again.length === 0) return;
    for (const { id, event } of again) {
      await pool.query('INSERT INTO outbox (id, event) VALUES ($1, $2) ON CONFLICT DO NOTHING', [id, event]);
    }
    await invoke({});
  }, onError);
}
