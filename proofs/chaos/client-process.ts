import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IdempotencyError } from '../../src/index.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import type { Answer } from '../lib/history.ts';
import { randomOf } from '../lib/random.ts';
import { type Behaviour, chooseBehaviour } from './behaviour.ts';
import { trueTime } from './clock.ts';
import { createGuards, WAYS, type Way, waitMillisOf } from './guards.ts';
import { returned, threw } from './handlers.ts';
import { openJournal } from './journal.ts';
import type { StoreName } from './store.ts';
import { keyNumber, kindOf, LEASES_MILLIS, MAX_ATTEMPTS, MAX_LEASE_MILLIS, REQUEST_TIMEOUT_MILLIS } from './terms.ts';

/** What a process of clients is told at its start. */
export interface ClientTask {
  readonly name: string;
  readonly seed: number;
  readonly endpoint: string;
  readonly store: StoreName;
  readonly tableName: string;
  readonly journal: string;
  readonly epochMillis: number;
  readonly offsetMillis: number;
  readonly clients: number;
  /** `storm`: clients come and go until they are told to stop. `probe`: each key is asked until it has an outcome. */
  readonly role: { readonly type: 'storm'; readonly startedAt: number } | Probe;
}

interface Probe {
  readonly type: 'probe';
  readonly keys: readonly string[];
}

/** That many keys are in use at a time, and that many times a second the oldest one makes room for a new one. */
const KEYS = 40;
const NEW_KEYS_PER_SECOND = 4;

const MAX_TRIES = 8;
const PROBE_MILLIS = 20_000;
const STOP_MILLIS = 2000;
const PULSE_MILLIS = 20;

const PAYLOADS = ['100', '200'] as const;

const task = JSON.parse(process.argv[2] ?? '') as ClientTask;
const time = trueTime(task.epochMillis);
const journal = openJournal(task.journal);
const guards = createGuards({ ...task, client: task.store === 'sdk' ? sdkClient() : undefined, time, journal });
let calls = 0;
let isStopping = false;

watchEventLoop();
// The terminal's Ctrl-C reaches every process; whoever started this one decides.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', () => {
  isStopping = true;
  setTimeout(() => process.exit(), STOP_MILLIS);
});
const run = task.role.type === 'storm' ? clientOfStorm : (index: number) => prober(index, (task.role as Probe).keys);
await Promise.all(Array.from({ length: task.clients }, (_, index) => run(index)));
process.exit();

function sdkClient(): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: task.endpoint,
    ...LOCAL_ACCESS,
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MILLIS,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: 500 },
    },
  });
}

async function clientOfStorm(index: number): Promise<void> {
  const { startedAt } = task.role as { startedAt: number };
  const random = randomOf(task.seed, 'client', task.name, index);
  await sleep(random.between(0, 3000));
  while (!isStopping) {
    const oldest = Math.floor(((time.now() - startedAt) / 1000) * NEW_KEYS_PER_SECOND);
    const key = keyNumber(oldest + random.between(0, KEYS - 1));
    const payload = random.next() < 0.95 ? PAYLOADS[0] : PAYLOADS[1];
    for (let tries = 1; tries <= MAX_TRIES && !isStopping; tries++) {
      const way = WAYS[random.between(0, WAYS.length - 1)] ?? 'function';
      const leaseMillis = LEASES_MILLIS[random.between(0, LEASES_MILLIS.length - 1)] ?? LEASES_MILLIS[0];
      // Like a caller whose own time is over: the call goes on, and what it gets is written down.
      const patience = sleep(random.between(2000, 4000), undefined);
      const answer = await Promise.race([ask(key, payload, way, leaseMillis, chooseBehaviour(random)), patience]);
      if (isFinal(answer)) break;
      const isRunning = answer?.kind === 'refused' && answer.code === 'IN_FLIGHT';
      await sleep(isRunning ? random.between(50, 1000) : random.between(0, 400 * 2 ** Math.min(tries, 4)));
    }
    await sleep(random.between(500, 5000));
  }
}

/** When all is well again: nobody may be refused for long, and all get the same. */
async function prober(index: number, keys: readonly string[]): Promise<void> {
  const behaviour: Behaviour = { does: 'return', afterMillis: 0 };
  for (let n = index; n < keys.length; n += task.clients) {
    const key = keys[n] ?? '';
    const until = time.now() + PROBE_MILLIS;
    const askProbe = async (payload: string, isLast: boolean, way: Way) => {
      const call = { key, payload, way, leaseMillis: MAX_LEASE_MILLIS, behaviour };
      return ask(call.key, call.payload, call.way, call.leaseMillis, call.behaviour, isLast);
    };
    for (;;) {
      const isLast = time.now() >= until;
      let answer = await askProbe(PAYLOADS[0], isLast, 'function');
      if (answer.kind === 'refused' && answer.code === 'KEY_REUSED')
        answer = await askProbe(PAYLOADS[1], isLast, 'middy 7');
      if (isLast || isFinal(answer)) break;
      await sleep(200);
    }
    await askProbe(PAYLOADS[0], true, 'middy 6');
  }
}

async function ask(
  key: string,
  payload: string,
  way: Way,
  leaseMillis: number,
  behaviour: Behaviour,
  probe = false,
): Promise<Answer> {
  const call = `${key}/${task.name}.${calls++}`;
  const kind = kindOf(key);
  const waitMillis = waitMillisOf(way);
  const extra = { ...(probe && { probe }), ...(waitMillis > 0 && { waitMillis }) };
  const called = { key, payload, offset: task.offsetMillis, leaseMillis, ...extra };
  journal({ type: 'called', at: time.now(), call, ...called });
  let answer: Answer;
  try {
    answer = returned(await guards.run(kind, way, { call, key, payload, leaseMillis, behaviour, store: task.store }));
  } catch (error) {
    answer =
      error instanceof IdempotencyError
        ? { kind: 'refused', code: error.code }
        : threw(String((error as Error).message));
  }
  journal({ type: 'answered', at: time.now(), call, answer });
  return answer;
}

function isFinal(answer: Answer | undefined): boolean {
  if (answer === undefined) return false;
  if (answer.kind === 'refused') return ['KEY_REUSED', 'OUTCOME_UNKNOWN'].includes(answer.code);
  return answer.kind === 'returned' || answer.text.startsWith('declined');
}

/** How long this process is held up at the worst: so much later than it should, anything here may happen. */
function watchEventLoop(): void {
  let worst = 0;
  let last = time.now();
  setInterval(() => {
    const now = time.now();
    const millis = now - last - PULSE_MILLIS;
    last = now;
    if (millis <= worst) return;
    worst = millis;
    journal({ type: 'heldUp', millis });
  }, PULSE_MILLIS);
}
