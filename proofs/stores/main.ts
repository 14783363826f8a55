import pg from 'pg';
import { postgresSchema } from '../../src/stores/postgres.ts';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { whole } from '../../tools/options.ts';
import { startPostgres } from '../../tools/postgres.ts';
import { findRedis, REDIS_MISSING, startRedis } from '../../tools/redis.ts';
import { createExampleTables, killExample, REQUESTS } from './example-kills.ts';
import { failover, restart } from './failover.ts';
import { killEverywhere, WAYS } from './kills.ts';
import { race } from './races.ts';

const OPTIONS = {
  racers: whole('How many processes race for a record.', { from: 2, to: 50, or: 20 }),
  rounds: whole('How many records they race for.', { from: 1, to: 10_000, or: 400 }),
};

/** @returns whether everything has held */
async function run({ racers, rounds }: SettingsOf<typeof OPTIONS>, stops: Stop[]): Promise<boolean> {
  const postgres = await startPostgres();
  stops.push(() => postgres.stop());
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(postgresSchema());
  await client.query('create table effects (name text not null)');
  await createExampleTables(client);
  await client.end();

  const problems = await race(postgres.url, racers, rounds);
  console.log(
    `PostgreSQL: ${racers} processes, ${rounds} records, each claimed and taken over: ${problems.length} problems`,
  );

  const kills = await killEverywhere(postgres.url);
  for (const way of WAYS) {
    const ofWay = kills.filter((kill) => kill.way === way);
    const repeated = ofWay.filter(({ effects }) => effects[1] > 1).length;
    const missing = ofWay.filter(({ effects, answer }) => effects[1] < 1 || answer !== 'paid').length;
    console.log(
      `PostgreSQL, ${way}: killed at ${ofWay.length} places, ${repeated} repeated effects, ${missing} missing`,
    );
    problems.push(...Array(repeated + missing).fill(way));
  }

  const exampleKills = await killExample(postgres.url);
  for (const request of REQUESTS) {
    const ofRequest = exampleKills.filter((kill) => kill.request === request);
    const wrong = ofRequest.flatMap((kill) => kill.problems);
    console.log(
      `PostgreSQL, a ${request} of the example: killed at ${ofRequest.length} places, ${wrong.length} problems`,
    );
    problems.push(...wrong);
  }

  if (findRedis() === undefined) console.log(`Redis: skipped. ${REDIS_MISSING}`);
  else problems.push(...(await redis(racers, rounds, stops)));
  for (const problem of new Set(problems)) console.log(problem);
  return problems.length === 0;
}

async function redis(racers: number, rounds: number, stops: Stop[]): Promise<string[]> {
  const server = await startRedis();
  stops.push(() => server.stop());
  const problems = await race(server.url, racers, rounds);
  console.log(
    `Redis: ${racers} processes, ${rounds} records, each claimed and taken over: ${problems.length} problems`,
  );
  console.log('Redis: what is killed                        confirmed claims   lost');
  const rows = [
    ['the primary of three', () => failover(false)],
    ['the primary of three, with waitForReplicas: 1', () => failover(true)],
    ['one server, nothing on disk', () => restart([])],
    ['one server, appendfsync everysec', () => restart(['--appendonly', 'yes', '--appendfsync', 'everysec'])],
    ['one server, appendfsync always', () => restart(['--appendonly', 'yes', '--appendfsync', 'always'])],
  ] as const;
  for (const [name, measure] of rows) {
    const { confirmed, lost } = await measure();
    console.log(`${name.padEnd(46)}${String(confirmed).padStart(15)}${String(lost).padStart(7)}`);
  }
  return problems;
}

await runCommand({
  name: 'test:stores',
  about: `
    Processes race for records of PostgreSQL and of Redis. Processes that write by transactions of PostgreSQL are killed before and
    after every statement. Servers of Redis are killed, and what they have lost is counted: Redis promises nothing there.`,
  options: OPTIONS,
  run,
});
