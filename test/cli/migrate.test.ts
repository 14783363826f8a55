import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { charging, KEY_PREFIX, useOldAndNew } from '../support/powertools.ts';
import { command, tableOptions } from './command.ts';

const on = useOldAndNew();

describe('migrate check', () => {
  const check = (event: object, powertools: object = {}, more: readonly string[] = []) =>
    command(
      [
        ...['migrate', 'check', '-', ...tableOptions(on.tableName), '--key', 'id', '--operation', KEY_PREFIX],
        ...['--powertools', JSON.stringify({ eventKeyJmesPath: 'id', keyPrefix: KEY_PREFIX, ...powertools })],
        ...more,
      ],
      { input: JSON.stringify(event) },
    );

  it('shows both ids and both records of an event', async () => {
    const order = { id: randomUUID(), amount: 5 };
    await on.old(charging().as('old'))(order);
    const before = await check(order);
    expect(before).toMatchObject({ exitCode: 0, told: '' });
    expect(before.out).toMatch(
      new RegExp(
        `^This package\\nrecord {6}${on.idOf(order)}\\nstatus {6}there is none\\n\\nPowertools\\nrecord {6}${KEY_PREFIX}#.{22}==\\n` +
          'status {6}COMPLETED \\(retries get the outcome\\)\\n[^]*outcome {5}returned \\d+ bytes',
      ),
    );
    await on.new(charging().as('new'))(order);
    const { record, powertools, ...ids } = JSON.parse((await check(order, {}, ['--json'])).out);
    expect(record).toMatchObject({
      status: 'COMPLETED',
      outcome: powertools.outcome,
      expiration: powertools.expiration,
    });
    expect(ids).toEqual({ id: record.id, powertoolsId: powertools.id });
  });

  it('says when Powertools has none, and when its key selects nothing', async () => {
    const order = { id: randomUUID() };
    const { out } = await check(order, {}, ['--json']);
    expect(JSON.parse(out)).toMatchObject({ record: null, powertools: null });
    const { exitCode, told } = await check(order, { eventKeyJmesPath: 'body.id' });
    expect({ exitCode, told }).toEqual({ exitCode: 4, told: expect.stringContaining('selects nothing') });
  });

  it('refuses options that powertoolsRecords refuses, and says how it is used', async () => {
    const wrong = await check({ id: 'k' }, { eventKey: 'id' });
    expect(wrong).toMatchObject({ exitCode: 2, told: expect.stringContaining('eventKey') });
    expect((await command(['help', 'migrate', 'check'])).out).toContain('--powertools JSON');
    expect(await command(['migrate'])).toMatchObject({ exitCode: 2 });
  });
});
