import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import pg from 'pg';
import { describe, expect, inject, it } from 'vitest';
import type { PageState } from '../../../infra/local/page/look.ts';
import { localDynamoDB } from '../../../tools/clients.ts';
import { terminal } from '../../../tools/pictures/terminal.ts';
import { type Store, useRunner } from './page-runner.ts';

interface Stored {
  readonly id: string;
  readonly status: string;
  readonly attempt: number;
}

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe.each<Store>(['dynamodb', 'postgres'])('the page of npm start, on %s', (store) => {
  const runner = useRunner(store, 0);

  /** Not with fetch, which sets `Host` and `Origin` itself. */
  async function get(path: string, headers: OutgoingHttpHeaders = {}): Promise<IncomingMessage> {
    const [response] = await once(request(`${runner.origin}${path}`, { headers }).end(), 'response');
    return response;
  }

  const bodyOf = (key: string) =>
    JSON.stringify({ amount: 1999, currency: 'EUR', source: 'tok_visa', metadata: { key } });

  async function post(key: string, headers: OutgoingHttpHeaders): Promise<IncomingMessage> {
    const sent = request(`${runner.origin}/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    }).end(bodyOf(key));
    const [response] = await once(sent, 'response');
    return response;
  }

  function pay(key: string, headers: Record<string, string> = {}) {
    return fetch(`${runner.origin}/payments`, {
      method: 'POST',
      headers: { 'idempotency-key': key, ...headers },
      body: bodyOf(key),
    });
  }

  /** The first state of the page for which this holds. */
  async function state(key: string, holds: (state: PageState & { record?: Stored }) => boolean): Promise<PageState> {
    const response = await get(`/page/state?key=${key}`);
    let seen = '';
    for await (const chunk of response.setEncoding('utf8')) {
      seen += chunk;
      const events = seen.split('\n\n').slice(0, -1);
      const found = events.map((event) => JSON.parse(event.slice('data: '.length))).find(holds);
      // Leaving the loop ends the connection.
      if (found !== undefined) return found;
    }
    throw new Error(`The stream has ended: ${seen}`);
  }

  it('shows that a function which is killed after the charge has charged once, and what its retry gets', async () => {
    const key = `test-${randomUUID()}`;
    // Another test file may have a runner on the same tables.
    const own = ({ payments }: PageState) => payments.filter(({ metadata }) => metadata['key'] === key);
    const entriesOf = ({ entries }: PageState, id: string) => entries.filter(({ payment }) => payment === id);
    expect((await pay(key, { 'local-kill': 'after-charge' })).status).toBe(500);
    await runner.until(/killed-payments: killed after the charge, before the answer\n/);
    const dead = await state(key, () => true);
    expect(dead.record).toMatchObject({ status: 'IN_PROGRESS', attempt: 1 });
    expect(dead.charges).toEqual([{ id: expect.stringMatching(/^ch_/), amount: 1999, currency: 'EUR', asked: 1 }]);
    expect(own(dead)).toEqual([]);
    expect((await pay(key)).status).toBe(409);

    await endLease((dead.record as Stored).id);
    const retry = await pay(key);
    expect(retry.status).toBe(201);
    const { id } = (await retry.json()) as { id: string };
    const again = await pay(key);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await again.json()).toMatchObject({ id });

    const booked = await state(key, (one) => entriesOf(one, id).length > 0);
    expect(booked.record).toMatchObject({ status: 'COMPLETED', attempt: 2 });
    expect(booked.charges).toEqual([{ ...dead.charges[0], asked: 2 }]);
    expect(own(booked)).toMatchObject([{ id, chargeId: dead.charges[0]?.id }]);
    expect(
      entriesOf(booked, id)
        .map(({ amount }) => amount)
        .toSorted(),
    ).toEqual([-1999, 1999]);
  });

  if (store === 'dynamodb') {
    it('is in the picture of the terminal, with what the runner has printed meanwhile', async () => {
      await runner.until(/replayed .*\n.*\nPOST \/payments 201/);
      const output = runner.output().replaceAll(runner.origin, 'http://127.0.0.1:3000');
      const head = output.split('\n').filter((line) => /^(Tables|Open)/.test(line));
      const log = output.slice(output.indexOf('  killed-payments: claimed')).split('\n');
      const lines = log.filter((line) => !/^( +(ledger|publisher):| +at |the function failed)/.test(line));
      const shown = lines.map((line) => line.replace(/#\S+/, '#…').replace(/ \d+ ms$/, ''));
      const frame = {
        title: 'The terminal of npm start, while a function is killed after the charge',
        description:
          'The function is killed after the charge, and the request gets 500. A retry gets 409, because the dead function still has its lease. The next retry takes over as attempt 2, and gets 201. One more retry gets the replay. The processor has made one charge.',
      };
      const picture = terminal(frame, ['$ npm start', ...head, '', ...shown].join('\n').trimEnd());
      await expect(picture).toMatchFileSnapshot('../../../docs/pictures/npm-start.svg');
    });

    // The same on every store.
    it('is for a browser at /: any other client gets the answer of the API', async () => {
      const page = await get('/', BROWSER);
      expect(page).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
      const html = await text(page);
      for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
        expect(await get(path), path).toMatchObject({ statusCode: 200 });
      }
      expect(html).not.toMatch(/https?:\/\//);
      expect(await get('/', { accept: '*/*' })).toMatchObject({
        statusCode: 404,
        headers: { 'content-type': 'application/problem+json' },
      });
      expect(await get('/page/main.ts')).toMatchObject({ statusCode: 404 });
      const lines = JSON.parse(await text(await get('/page/lines')));
      for (const { title, command } of lines) expect(runner.output()).toContain(`# ${title}\n${command}\n`);
      expect(lines).toHaveLength(6);
    });

    it.each([
      ['a name that was made to lead here', { host: 'evil.example:3000' }],
      ['another site', { origin: 'https://evil.example' }],
      ['another page of this machine', { origin: 'http://localhost:1' }],
    ])('refuses %s', async (_, headers) => {
      const killed = await post(`test-${randomUUID()}`, { ...headers, 'local-kill': 'after-charge' });
      expect(killed.statusCode).toBe(201);
      for (const path of ['/', '/page/state', '/page/lines', '/page/page.js']) {
        const { statusCode, headers: answered } = await get(path, { ...BROWSER, ...headers });
        expect(statusCode, path).toBe(403);
        expect(answered).not.toHaveProperty('access-control-allow-origin');
      }
    });
  }

  /** As time does. */
  async function endLease(id: string): Promise<void> {
    if (store === 'postgres') {
      const client = new pg.Client({ connectionString: inject('postgresUrl') });
      await client.connect();
      await client.query('UPDATE payments_example.idempotency SET lease_until = 0 WHERE id = $1', [id]);
      return client.end();
    }
    const client = localDynamoDB(inject('dynamoDBEndpoint'));
    await client.send(
      new UpdateItemCommand({
        TableName: 'local-payments-idempotency',
        Key: { id: { S: id } },
        UpdateExpression: 'SET leaseUntil = :past',
        ExpressionAttributeValues: { ':past': { N: '0' } },
      }),
    );
    client.destroy();
  }
});
