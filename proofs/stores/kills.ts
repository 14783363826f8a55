import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

/** The example imports the package by its name: that is `src` here. */
const SOURCES = new URL('../../tools/sources.ts', import.meta.url).href;
const PAYER = fileURLToPath(new URL('payer.ts', import.meta.url));

export const WAYS = ['transact', 'idempotentTransaction'] as const;

export interface Kill {
  readonly way: (typeof WAYS)[number];
  /** Behind so many sends and answers of statements. */
  readonly place: number;
  /** After the kill, and after the retry. */
  readonly effects: readonly [number, number];
  readonly answer: unknown;
}

interface Run<Answer> {
  readonly answer?: Answer;
  readonly places: number;
}

/** Kills a process at every place of every way, and lets another one retry. `every`: at each second one, for example. */
export async function killEverywhere(url: string, every = 1): Promise<Kill[]> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  const kills: Kill[] = [];
  const effectsOf = async (key: string) => {
    const { rows } = await pool.query('select count(*)::int as count from effects where name = $1', [key]);
    return rows[0].count as number;
  };
  try {
    for (const way of WAYS) {
      const { places } = await runKilled(PAYER, [url, way, randomUUID()]);
      if (places === 0) throw new Error(`${way} did not end, although it was not killed`);
      for (let place = 1; place <= places; place += every) {
        const key = randomUUID();
        await runKilled(PAYER, [url, way, key, String(place)]);
        const afterKill = await settledEffects(pool, key, effectsOf);
        const { answer } = await runKilled(PAYER, [url, way, key]);
        kills.push({ way, place, effects: [afterKill, await effectsOf(key)], answer });
      }
    }
  } finally {
    await pool.end();
  }
  return kills;
}

/** The server goes on with what it had been sent: it is asked when it has ended the connections of the killed process. */
async function settledEffects(
  pool: pg.Pool,
  key: string,
  effectsOf: (key: string) => Promise<number>,
): Promise<number> {
  for (;;) {
    const { rows } = await pool.query(
      `select count(*)::int as others from pg_stat_activity
       where backend_type = 'client backend' and datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`,
    );
    if (rows[0].others === 0) return effectsOf(key);
  }
}

/** What a program has sent before it ended. `places` is 0 where it was killed. */
export async function runKilled<Answer>(program: string, args: readonly string[]): Promise<Run<Answer>> {
  const child = fork(program, args, { execArgv: ['--import', SOURCES] });
  let told: Run<Answer> = { places: 0 };
  child.on('message', (message) => {
    told = message as Run<Answer>;
  });
  await once(child, 'exit');
  return told;
}
