import pg from 'pg';
import { postgresSchema } from '../../src/stores/postgres.ts';
import { startPostgres } from '../../tools/postgres.ts';
import type { Arena } from './arena.ts';
import type { WallClock } from './clock.ts';
import { TABLE_NAME } from './database.ts';
import { EFFECTS_TABLE } from './effects.ts';
import type { Faults } from './faults.ts';
import { type Change, eventsOf, type Recorded } from './recorded.ts';
import { startTcpProxy } from './tcp-proxy.ts';

const IDLE = Buffer.from('Z\0\0\0\x05I', 'latin1');

/** Each change of a record is written down in its own transaction, by the lock on its row in the right order. */
const HISTORY = `
create table "${EFFECTS_TABLE}" (key text not null, refused text check (refused is null), xid xid8 default pg_current_xact_id());
create table history (
  number bigserial, xid xid8 default pg_current_xact_id(), at double precision default extract(epoch from clock_timestamp()) * 1000,
  before jsonb, after jsonb);
create function note() returns trigger language plpgsql as $$ begin
  insert into history (before, after)
  values (case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  return null;
end $$;
create trigger note after insert or update or delete on "${TABLE_NAME}" for each row execute function note();`;

/** PostgreSQL with its data in files, behind a proxy. It keeps the history itself: that has what was committed. */
export async function sqlArena(faults: Faults, clock: WallClock): Promise<Arena> {
  const server = await startPostgres(['synchronous_commit=on']);
  const pool = new pg.Pool({ connectionString: server.url, max: 4 });
  pool.on('error', () => undefined);
  await pool.query(postgresSchema({ tableName: TABLE_NAME }));
  await pool.query(HISTORY);
  const url = new URL(server.url);
  const proxy = await startTcpProxy({
    port: Number(url.port),
    faults,
    isRequest: (sent) => sent.includes(TABLE_NAME) || sent.includes('commit\0'),
    async repeat(sent, answer) {
      const statement = parse(sent);
      // A statement of a transaction ends with it.
      if (statement !== undefined && answer.subarray(-IDLE.length).equals(IDLE)) await pool.query(...statement);
    },
  });
  url.port = String(proxy.port);
  return {
    endpoint: url.href,
    name: 'PostgreSQL',
    requests: proxy.requests,
    async killAndRestart() {
      await server.kill();
      await restarted(server.restart);
    },
    async witness() {
      const { rows } = await pool.query(`select at, before, after,
        (select count(*)::int from "${EFFECTS_TABLE}" as e where e.xid = h.xid) as effects from history as h order by number`);
      const changes = rows.map(({ at, before, after, effects }): Change => {
        return { at: clock.toTrue(at), before: recordOf(before), after: recordOf(after), effects };
      });
      return { events: eventsOf(changes), violations: [] };
    },
    async stop() {
      clock.stop();
      await proxy.close();
      await pool.end();
      await server.stop();
    },
  };
}

/** Processes that the killed one has left behind end in a moment, and until then no other may start. */
async function restarted(restart: () => Promise<void>, tries = 20): Promise<void> {
  try {
    await restart();
  } catch (error) {
    if (tries === 0) throw error;
    await restarted(restart, tries - 1);
  }
}

/** As docs/reference/postgres.md has the columns. */
function recordOf(row: Record<string, unknown> | null): Recorded | undefined {
  if (row === null) return undefined;
  const { lease_until: leaseUntil, outcome_type: type, outcome: json, checkpoints, ...others } = row;
  const steps = typeof checkpoints === 'string' ? { checkpoints: JSON.parse(checkpoints) } : {};
  return { ...others, leaseUntil, outcome: { type, json }, ...steps } as unknown as Recorded;
}

/** The statement of a Parse and its Bind ("Message Formats", PostgreSQL); `undefined` where it is no write of a record. */
function parse(sent: Buffer): [text: string, values: (string | null)[]] | undefined {
  if (sent[0] !== 'P'.charCodeAt(0) || !sent.includes('set_config')) return undefined;
  const bind = 1 + sent.readInt32BE(1);
  const [, text = ''] = sent.subarray(5, bind).toString().split('\0');
  if (sent[bind] !== 'B'.charCodeAt(0)) return undefined;
  // The names of the portal and of the statement are empty; then the formats of the parameters.
  let at = bind + 5 + 2;
  at += 2 + 2 * sent.readInt16BE(at);
  const count = sent.readInt16BE(at);
  at += 2;
  const values: (string | null)[] = [];
  for (let n = 0; n < count; n++) {
    const length = sent.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? null : sent.subarray(at, at + length).toString());
    at += Math.max(0, length);
  }
  return [text, values];
}
