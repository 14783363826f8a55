import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildPackage, hasShell, paste, type Runner, runLine, startRunner } from './runner.ts';

beforeAll(buildPackage);

let runner: Runner | undefined;

afterEach(async () => {
  runner?.child.kill();
  await runner?.exitCode;
});

function start(environment: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Runner {
  runner = startRunner({ PORT: '0', DYNAMODB_ENDPOINT: inject('dynamoDBEndpoint'), ...environment }, args);
  return runner;
}

/** Of the four that show the promises. */
const LAST_LINE = /: 422\ncurl .*\n/;
const LAST_OF_ALL = /# Void it again: 204\ncurl .*\n/;

describe('the printed lines', () => {
  it('pay once, replay, let one of two at once through, and refuse another amount', async () => {
    // Long enough for the second of two requests to arrive in time, on a busy machine, too.
    const { until, output } = start({ PROCESSOR_LATENCY_MILLIS: '2000' });
    await until(LAST_LINE);
    const lines = output().match(/^\(?curl .*$/gm) ?? [];
    const answers = [];
    for (const line of lines.slice(0, 4)) answers.push(await runLine(line));

    const [pay, retry, twoAtOnce, otherAmount] = answers;
    expect(pay).toEqual([{ statusCode: 201, body: expect.stringContaining('"succeeded"') }]);
    expect(retry).toEqual(pay);
    expect(twoAtOnce?.map(({ statusCode }) => statusCode).toSorted()).toEqual([201, 409]);
    expect(otherAmount).toEqual([{ statusCode: 422, body: expect.stringContaining('problems/key-reused') }]);

    expect(output()).toMatch(/^POST \/payments 201 \d+ ms$/m);
    expect(output()).toMatch(/idempotency: replayed create-payment#\S+ attempt 1 \d+ ms$/m);
    const charges = Array.from(output().matchAll(/^ {2}processor: (.*) so far$/gm), ([, count]) => count);
    // Both of the two at once may be answered before or after the second charge is made.
    expect([charges[0], charges[1], charges.at(-1)]).toEqual(['1 charge', '1 charge', '2 charges']);
  });

  it.skipIf(!hasShell)('show the replay of the retry, and the record behind it in its table', async () => {
    const { until, output } = start({ PROCESSOR_LATENCY_MILLIS: '0' });
    await until(LAST_OF_ALL);
    const [, tableName = ''] = /^Tables: (\S+) \(the records\)/m.exec(output()) ?? [];
    const [pay = '', retry = ''] = output().match(/^curl .*$/gm) ?? [];
    const [, show = ''] = /^# The record of the first key.*\n(.*)$/m.exec(output()) ?? [];
    expect(await paste(pay)).not.toMatch(/idempotent-replayed/i);
    expect(await paste(retry)).toMatch(/^idempotent-replayed: true\r$/im);
    expect(show).toContain(` npx middy-idempotency show 'create-payment#`);
    expect(show).toContain(` --table ${tableName} `);
    expect(await paste(show)).toMatch(/COMPLETED/);
  });

  it.skipIf(!hasShell)('show the rest of the API, each with the status that its title says', async () => {
    const { until, output } = start({ PROCESSOR_LATENCY_MILLIS: '0' });
    await until(LAST_OF_ALL);
    const lines = Array.from(output().matchAll(/^# (.*)\n(.*)$/gm), ([, title = '', line = '']) => ({ title, line }));
    const [pay, , , , , , keep, ...rest] = lines;
    await runLine(pay?.line ?? '');
    expect(keep?.line).toMatch(/^PAYMENT=/);
    const seen: string[] = [];
    for (const { title, line } of rest) {
      // The variable lives in one shell, as it does for a person.
      const [answer] = await runLine(`${keep?.line}\n${line}`);
      expect(title).toMatch(new RegExp(`\\b${answer?.statusCode}\\b`));
      seen.push(`${answer?.statusCode}`);
    }
    expect(seen).toEqual(['200', '304', '201', '201', '409', '412', '200', '201', '412', '204', '204']);
    expect(output()).toMatch(/idempotency: replayed create-refund#/);
    expect(output()).toContain('  idempotency: patch-payment came without a key, so it keeps no record\n');
    expect(output()).not.toContain('unguarded');
  });

  it('have other keys at every start, so that they work again with the same tables', async () => {
    const first = start();
    const [firstLine] = await first.until(/^curl .*$/m);
    first.child.kill('SIGINT');
    await first.exitCode;
    const [secondLine] = await start().until(/^curl .*$/m);
    const keyOf = (line: string) => /idempotency-key: [^']+/.exec(line)?.[0];
    expect(keyOf(firstLine)).toBeDefined();
    expect(keyOf(secondLine)).not.toBe(keyOf(firstLine));
  });
});

describe.skipIf(process.env['DYNAMODB_ENDPOINT'])('the pipeline behind the payments', () => {
  it('books a payment once that is announced twice, and ends with all of its processes', async () => {
    const environment = { DYNAMODB_ENDPOINT: undefined, PROCESSOR_LATENCY_MILLIS: '0' };
    const { child, until, output, exitCode, pressControlC } = start(environment, ['--duplicates', '1']);
    const [, ledger = ''] = await until(/The ledger: .*\ncurl -sS (\S+)\n/);
    const [line = ''] = output().match(/^curl .*$/m) ?? [];
    const [{ body } = { body: '' }] = await runLine(line);
    const payment = JSON.parse(body);
    await until(/ledger: replayed book-payment-event#/);

    const page = (await (await fetch(ledger)).json()) as { entries: object[] };
    expect(page).toMatchObject({ balances: { 'receivable EUR': 1999, 'sales EUR': -1999 }, sum: 0, deadLetters: 0 });
    expect(page.entries).toHaveLength(2);
    for (const entry of page.entries) expect(entry).toMatchObject({ payment: payment.id, type: 'payment-captured' });

    pressControlC();
    expect(await exitCode).toBe(0);
    expect(() => process.kill(-Number(child.pid), 0), 'a process is left').toThrow('ESRCH');
  });
});

describe('the end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'comes with %s and exit code 0, whatever is still running',
    async (signal) => {
      const { child, until, exitCode } = start({ PROCESSOR_LATENCY_MILLIS: '9000' });
      const [, line = ''] = await until(/^(curl .*)\n/m);
      const cutOff = runLine(line).catch(() => undefined);
      await until(/idempotency: claimed/);
      child.kill(signal);
      expect(await exitCode).toBe(0);
      expect(await cutOff).toBeUndefined();
    },
  );

  it('comes while DynamoDB is being waited for, too', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const { child, until, exitCode } = start({ DYNAMODB_ENDPOINT: `http://127.0.0.1:${port}` });
    await until(/Waiting for DynamoDB/);
    child.kill('SIGINT');
    expect(await exitCode).toBe(0);
    silent.close();
  });

  // Where the tests are given a DynamoDB, there may be no Java to start one with.
  describe.skipIf(process.env['DYNAMODB_ENDPOINT'])('with a DynamoDB Local of its own', () => {
    it('comes with Ctrl-C and leaves no database behind', async () => {
      const { until, exitCode, pressControlC } = start({ DYNAMODB_ENDPOINT: undefined });
      const [, endpoint = ''] = await until(/DynamoDB answers at (http:\S+)/);
      await until(LAST_LINE);
      pressControlC();
      expect(await exitCode).toBe(0);
      await expect(fetch(endpoint)).rejects.toThrow('fetch failed');
    });

    it('comes with SIGTERM to the runner alone and leaves no database behind', async () => {
      const { child, until, exitCode } = start({ DYNAMODB_ENDPOINT: undefined });
      const [, endpoint = ''] = await until(/DynamoDB answers at (http:\S+)/);
      child.kill();
      expect(await exitCode).toBe(0);
      await expect(fetch(endpoint)).rejects.toThrow('fetch failed');
    });

    it('comes with Ctrl-C while the database starts', async () => {
      const { until, exitCode, pressControlC, output } = start({ DYNAMODB_ENDPOINT: undefined });
      await until(/Starting DynamoDB Local/);
      pressControlC();
      expect(await exitCode).toBe(0);
      expect(output()).toBe('Starting DynamoDB Local\nStopping\n');
    });
  });
});

describe('a wrong start', () => {
  it('says that the port is taken, and ends with exit code 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { exitCode, output } = start({ PORT: String(port) });
    expect(await exitCode).toBe(1);
    expect(output()).toBe(`port ${port} is taken: set PORT to another one, or to 0 for any free port\n`);
    other.close();
  });

  it.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PROCESSOR_LATENCY_MILLIS', '1.5'],
    ['DYNAMODB_ENDPOINT', '127.0.0.1:8000'],
  ])('says in one line what is wrong with %s=%s, and ends with exit code 1', async (name, value) => {
    const { exitCode, output } = start({ [name]: value });
    expect(await exitCode).toBe(1);
    expect(output()).toMatch(new RegExp(`^${name} must be .* not '${value}'\n$`));
  });

  it.each([
    ['--duplicates', '1.5'],
    ['--duplicates', 'many'],
    ['--crashes', '1'],
  ])('says what is wrong with %s %s, and ends with exit code 2', async (option, value) => {
    const { exitCode, output } = start({}, [option, value]);
    expect(await exitCode).toBe(2);
    expect(output()).toMatch(new RegExp(`^${option} must be a number from 0 to .*, not '${value}'\n\nUsage`));
  });

  it('prints the usage after an unknown argument, and ends with exit code 2', async () => {
    const { exitCode, output } = start({}, ['--prot']);
    expect(await exitCode).toBe(2);
    expect(output()).toMatch(/^Unknown option '--prot'\n\nUsage: npm start -- \[options\]\n/);
  });
});

it('prints its usage and the environment variables with --help', async () => {
  const { exitCode, output } = start({}, ['--help']);
  expect(await exitCode).toBe(0);
  expect(output()).toMatch(/^Usage: npm start -- \[options\]\n/);
  for (const name of [
    'PORT',
    'DYNAMODB_ENDPOINT',
    'POSTGRES_URL',
    'PROCESSOR_LATENCY_MILLIS',
    '--store',
    '--crashes',
  ]) {
    expect(output()).toContain(name);
  }
});
