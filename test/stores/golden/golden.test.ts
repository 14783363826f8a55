import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { useFaultProxy } from '../../support/fault-proxy.ts';
import { localClient, useTable } from '../../support/table.ts';
import { comparable } from './comparable.ts';
import { type Golden, RENAMED, Stage } from './play.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/**
 * Every kind of record as commit 76eecec wrote it, on DynamoDB Local. For each scenario: what was sent, what was in the table
 * then, and what the next request got. Nothing of it may change, except when a duplicate is asked to retry
 * (`retryAfterMillis`, which no record has), and that a failed condition without an item is followed by a read. A new kind of record gets a scenario and a line: what
 * `Stage.play` answers with the version that brings it.
 */
const GOLDEN: Readonly<Record<string, Golden>> = JSON.parse(
  readFileSync(new URL('golden.json', import.meta.url), 'utf8'),
);

/** What the version writes that compresses with zstd, where the compressed bytes themselves are seen. */
const ZSTD: typeof GOLDEN = JSON.parse(readFileSync(new URL('golden-zstd.json', import.meta.url), 'utf8'));

const plain = useTable();
const renamed = useTable(RENAMED);
const effects = useTable();
const proxy = useFaultProxy();

function stageOf(scenario: Scenario, tokens?: string): Stage {
  const table = scenario.renamed ? renamed : plain;
  const through = localClient({ endpoint: proxy.endpoint });
  return new Stage(scenario, { ...table, through, proxy, effects: effects.tableName }, tokens);
}

function goldenOf({ name }: Scenario): Golden {
  const golden = GOLDEN[name];
  if (golden === undefined) throw new Error(`no golden items of '${name}'`);
  return golden;
}

/** Parts are sent at the same time, and arrive in any order: here by their ids. */
function inOrder<T extends Pick<Golden, 'requests'>>({ requests, ...others }: T) {
  const partOf = (request: unknown) => /"S":"[^"]+#([^#"]+#\d+)"/.exec(JSON.stringify(request))?.[1];
  return {
    ...others,
    requests: requests.toSorted((a, b) => {
      const [one, other] = [partOf(a), partOf(b)];
      return one === undefined || other === undefined ? 0 : one.localeCompare(other);
    }),
  };
}

it('has a scenario for all that is golden', () => {
  expect(SCENARIOS.map(({ name }) => name)).toEqual(Object.keys(GOLDEN));
});

describe.each(SCENARIOS)('$name', (scenario) => {
  const { next, ...golden } = goldenOf(scenario);
  const written = ZSTD[scenario.name] ?? { ...golden, next };

  it('is written as it was: the same requests, attributes and types', async () => {
    const played = await stageOf(scenario, randomUUID().slice(0, 8)).play();
    expect(comparable(inOrder(played))).toEqual(comparable(inOrder(written)));
  });

  it('is read as it was, and the next request decides as it did', async () => {
    const stage = stageOf(scenario);
    const played = comparable(await stage.playAfter({ ...golden, next }));
    expect([comparable(next), comparable(written.next)]).toContainEqual(played);
    await stage.putItems(golden.items);
    expect(await stage.read(golden.items)).toEqual(golden.record);
  });
});

/** Where the next request takes the record over. */
const TAKEN_OVER = SCENARIOS.filter((scenario) => {
  const { returned } = goldenOf(scenario).next.answer as { returned?: { attempt?: number } };
  return (returned?.attempt ?? 1) > 1;
});

describe('a fleet of both versions on one table', () => {
  it('has something to take over', () => expect(TAKEN_OVER.length).toBeGreaterThan(5));

  it.each(TAKEN_OVER)('no write of an earlier owner of the old version comes through: $name', async (scenario) => {
    const golden = goldenOf(scenario);
    const stage = stageOf(scenario);
    await stage.playAfter(golden);
    for (const request of golden.requests) expect(await stage.send(request)).toBe('ConditionalCheckFailedException');
  });

  it.each(TAKEN_OVER)('the old version takes over what the new one has left: $name', async (scenario) => {
    const { next } = goldenOf(scenario);
    const stage = stageOf(scenario);
    await stage.forget();
    await scenario.run(stage.host());
    const [claim, ...others] = next.requests;
    if (claim === undefined) throw new Error('there was no claim');
    expect(await stage.send(claim)).toBe('ConditionalCheckFailedException');
    for (const request of others) expect(await stage.send(request)).toBeUndefined();
  });

  it('an owner of the new version that is late gets what its successor of the old one has stored', async () => {
    const scenario = SCENARIOS.find(({ name }) => name === 'lease over') as Scenario;
    const { next } = goldenOf(scenario);
    const stage = stageOf(scenario);
    await stage.forget();
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const running = stage.host().call(async () => {
      begun.resolve();
      await gate.promise;
      return 'late';
    });
    await begun.promise;
    stage.clock.advance(scenario.nextAfterMillis ?? 0);
    for (const request of next.requests.slice(1)) expect(await stage.send(request)).toBeUndefined();
    gate.resolve();
    expect({ returned: await running }).toEqual(next.answer);
  });
});
