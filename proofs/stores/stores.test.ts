import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { postgresSchema } from '../../src/stores/postgres.ts';
import { HAS_REDIS } from '../../test/support/redis.ts';
import { startRedis } from '../../tools/redis.ts';
import { createExampleTables, killExample, REQUESTS } from './example-kills.ts';
import { killEverywhere, WAYS } from './kills.ts';
import { race } from './races.ts';

const database = `proof_${randomUUID().replaceAll('-', '')}`;
const url = () => inject('postgresUrl').replace(/\/postgres$/, `/${database}`);

beforeAll(async () => {
  const admin = new pg.Client(inject('postgresUrl'));
  await admin.connect();
  await admin.query(`create database ${database}`);
  await admin.end();
  const client = new pg.Client(url());
  await client.connect();
  await client.query(postgresSchema());
  await client.query('create table effects (name text not null)');
  await createExampleTables(client);
  await client.end();
});

describe('processes that race for one record', () => {
  it('have one winner in PostgreSQL, whose record all others meet, and which stays as it is', async () => {
    expect(await race(url(), 5, 20)).toEqual([]);
  });

  it.skipIf(!HAS_REDIS)(
    'have one winner in Redis, whose record all others meet, and which stays as it is',
    async () => {
      const server = await startRedis();
      try {
        expect(await race(server.url, 5, 20)).toEqual([]);
      } finally {
        await server.stop();
      }
    },
  );
});

describe('a process that is killed before or after a statement', () => {
  it('has its effect in SQL exactly once, after a retry', { timeout: 120_000 }, async () => {
    const kills = await killEverywhere(url(), 2);
    for (const way of WAYS) {
      const ofWay = kills.filter((kill) => kill.way === way);
      expect(ofWay.length).toBeGreaterThan(4);
    }
    expect(kills.filter(({ effects, answer }) => effects[1] !== 1 || answer !== 'paid')).toEqual([]);
  });
});

describe('the payments function, killed before or after a statement', () => {
  it('has made one payment or refund, one event and one booking, after a retry', { timeout: 120_000 }, async () => {
    const kills = await killExample(url(), 3);
    for (const request of REQUESTS) {
      expect(kills.filter((kill) => kill.request === request).length).toBeGreaterThan(4);
    }
    expect(kills.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });
});
