/** A way to break the code: texts of the sources and what stands there instead, and who must find it. */
export interface Break {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly put: string }[];
  /** Tests that find what no simulated schedule can show. @default the simulation */
  readonly tests?: readonly string[];
}

const edit = (file: string, find: string, put: string) => ({ file, find, put });
const one = (name: string, file: string, find: string, put: string): Break => ({
  name,
  edits: [edit(file, find, put)],
});

const HELD_RECORD = 'src/core/execution/held-record.ts';
const OVERWRITE = 'src/core/execution/overwrite.ts';
const DECIDE = 'src/core/claim/decide.ts';
const CONTEND = 'src/core/claim/contend.ts';
const CLAIM_WRITES = 'src/core/claim/claim-writes.ts';
const RUN = 'src/middy/run.ts';
const READ_THROUGH = 'src/powertools/read-through.ts';
const MIRROR = 'src/powertools/mirror.ts';
const MIGRATION = ['proofs/migration/migration.test.ts'];
const KEPT = 'proofs/simulation/kept-schedules.test.ts';
const DYNAMODB = 'src/stores/dynamodb/store.ts';

const STEP = 'src/core/execution/step.ts';
const FAILURE = 'src/stores/dynamodb/failure.ts';
const EXECUTION = 'src/core/execution/execution.ts';
const WAIT = 'src/core/claim/wait.ts';
const LITE_TRANSPORT = 'src/stores/dynamodb/lite/transport.ts';
const LITE_ANSWER = 'src/stores/dynamodb/lite/answer.ts';
const PERSIST = 'src/core/execution/persist.ts';
const PARTS = 'src/stores/dynamodb/parts.ts';
const TRANSACTION = 'src/core/claim/transaction.ts';
const SQL_STATEMENTS = 'src/stores/postgres/statements.ts';
const SQL_WORK = 'src/stores/postgres/work.ts';
const REDIS_SCRIPTS = 'src/stores/redis/scripts.ts';

/** The condition is what the table has now, whoever wrote it: so every write passes. */
const WHATEVER_IS_THERE = '(await store.read(id)) ?? inProgress';

/** The policy is not asked when the handler has answered. */
const JUDGED_LATER = edit(RUN, 'decide(returned(response));', '{}');

/** The breaks that the protocol must not survive unnoticed. */
export const BREAKS: readonly Break[] = [
  one(
    'complete without the owner condition',
    HELD_RECORD,
    'const verb = () => (expected ? store.replace(record, expected) : store.insert(record));',
    `const verb = async () => store.replace(record, ${WHATEVER_IS_THERE});`,
  ),
  one(
    'release without the owner condition',
    HELD_RECORD,
    'write(() => store.replace(released, inProgress), millis);',
    `write(async () => store.replace(released, ${WHATEVER_IS_THERE}), millis);`,
  ),
  {
    name: 'the DynamoDB store forgets the owner condition',
    edits: [edit(DYNAMODB, "(const name of ['owner', 'status',", "(const name of ['status',")],
    tests: ['test/integration/i02-fenced.test.ts', 'test/stores/dynamodb.test.ts'],
  },
  {
    name: 'release when a hook behind the handler throws',
    edits: [JUDGED_LATER, edit(RUN, 'failure = returned(answer.value);', 'failure = threw(error);')],
  },
  {
    name: 'judge what a hook has made of the answer',
    edits: [JUDGED_LATER, edit(RUN, 'answer ? returned(answer.value) : outcome', 'outcome')],
    tests: ['test/integration/i04-finished-effect.test.ts'],
  },
  one(
    'skip self-recognition',
    DECIDE,
    'if (existing.owner === claim.owner && isRunning) {',
    "if (existing.owner === '' && isRunning) {",
  ),
  one(
    'compare the lease with a wrong time: the end of the own one',
    DECIDE,
    'if (now < over)',
    'if (claim.leaseUntil < over)',
  ),
  one(
    'compare the own lease with a wrong time: the beginning of the claim',
    CLAIM_WRITES,
    'if (runtime.now() < record.leaseUntil) return;',
    'if (startedAt < record.leaseUntil) return;',
  ),
  one(
    'let a mismatch delete the record',
    CONTEND,
    '        if (!later) return yieldTo(decision, number, existing);',
    `        if (decision.kind === 'keyReused' && existing !== undefined) {
          await options.store.remove(existing.id, { owner: existing.owner, status: existing.status });
        }
        if (!later) return yieldTo(decision, number, existing);`,
  ),
  {
    name: 'store the response of a timeout',
    edits: [
      edit(RUN, "if (timeout.isTimeout()) settlement = 'time out';", ''),
      edit(RUN, "if (isTimeout) settlement = 'time out';", ''),
      edit(RUN, 'if (!hasAnswered || isTimeout ||', 'if (!hasAnswered ||'),
    ],
  },
  {
    name: 'a duplicate is sent away for the rest of the lease',
    edits: [edit(DECIDE, 'Math.min(over - now, ageMillis)', 'over - now')],
    tests: ['test/core/claim/decide.test.ts', 'test/http/behaviour.test.ts'],
  },
  one('forget the skew', DECIDE, 'existing.leaseUntil + policy.clockSkewMillis', 'existing.leaseUntil'),
  one('TTL shorter than the lease', 'src/core/budget.ts', 'Math.max(leaseUntil + clockSkewMillis, ', 'Math.max('),
  {
    name: 'begin although Powertools has the request',
    edits: [edit(READ_THROUGH, 'isClaimed ? await look(claim) : undefined', 'undefined')],
    tests: MIGRATION,
  },
  {
    name: 'judge what Powertools had by the time at which its answer came',
    edits: [edit('src/powertools/predecessor.ts', 'options, askedAt)', 'options, runtime.now())')],
    tests: ['test/powertools/read-through.test.ts'],
  },
  {
    name: 'do not look at Powertools where the answer to a claim was lost',
    edits: [edit(READ_THROUGH, 'answer.done || isSameClaim(answer.existing, claim)', 'answer.done')],
    tests: ['test/powertools/read-through.test.ts'],
  },
  {
    name: 'leave the fingerprint of a wrong payload when Powertools has the request',
    edits: [edit(READ_THROUGH, "why === 'keyReused' ? undefined : claim.fingerprint", 'claim.fingerprint')],
    tests: ['test/powertools/read-through.test.ts'],
  },
  {
    name: 'mirror a claim over an execution of Powertools',
    edits: [
      edit(
        MIRROR,
        "'attribute_not_exists(#id) OR (#status = :inprogress AND #mirror_of = :record)'",
        "'attribute_not_exists(#id) OR attribute_exists(#id) OR (#status = :inprogress AND #mirror_of = :record)'",
      ),
    ],
    tests: MIGRATION,
  },
  {
    name: 'do not mirror an outcome',
    edits: [edit(MIRROR, "if (record.status === 'RELEASED')", "if (record.status !== 'IN_PROGRESS')")],
    tests: MIGRATION,
  },
  {
    name: "take the shadow of our own crashed execution for one of Powertools'",
    edits: [
      edit('src/powertools/item.ts', "status === 'INPROGRESS' && item[MIRROR_OF] === recordId", "status === 'none'"),
    ],
    tests: ['test/powertools/mirror.test.ts'],
  },
  {
    name: 'compute the key again after the event was changed',
    edits: [
      edit(
        'src/operation.ts',
        'guard({ identity, remaining, format,',
        'guard({ identity: { ...identity, get id() { return identify(request, operation, invocation.args)?.id ?? identity?.id; } } as Identity, remaining, format,',
      ),
      edit(HELD_RECORD, 'return { id, owner,', 'return { id: context.identity.id, owner,'),
    ],
    tests: ['test/integration/i06-key-once.test.ts'],
  },
  one(
    'start after the own lease',
    CLAIM_WRITES,
    'if (runtime.now() < record.leaseUntil) return;',
    'if (record.leaseUntil > 0) return;',
  ),
  one(
    'take over without the lease that was read',
    DECIDE,
    'expected: { owner, status, leaseUntil },',
    'expected: { owner, status },',
  ),
  one(
    'a release deletes the record',
    HELD_RECORD,
    'write(() => store.replace(released, inProgress),',
    'write(() => store.remove(id, inProgress),',
  ),
  one('an outcome is written once, not until it is', PERSIST, 'maxTries = FOREVER', 'maxTries = 1'),
  one(
    'an outcome is not put back where the record is gone',
    OVERWRITE,
    'if (!existing) return { record: completed };',
    'if (!existing) return undefined;',
  ),
  one(
    'a failure of the store masks the answer',
    EXECUTION,
    "tell({ type: 'completionFailed', error });",
    'throw error;',
  ),
  one(
    'replay for ever',
    'src/core/record/record.ts',
    'return now >= record.expiration * 1000;',
    "return record.status !== 'COMPLETED' && now >= record.expiration * 1000;",
  ),
  one(
    'ignore the fingerprint',
    DECIDE,
    'return stored !== undefined && claimed !== undefined && stored !== claimed;',
    'return stored === claimed && stored === "";',
  ),
  one(
    "ignore onExpiredLease: 'throw'",
    DECIDE,
    "return unsettled ? { kind: 'outcomeUnknown' } : takeover",
    'return takeover',
  ),
  one(
    'wait for the store for ever',
    'src/core/runtime.ts',
    'delay.elapsed.then((): typeof TIMED_OUT => TIMED_OUT)',
    'new Promise<typeof TIMED_OUT>(() => undefined)',
  ),
  one(
    'an abandoned claim is taken back whoever has the record',
    CLAIM_WRITES,
    "const expected = { owner: record.owner, status: 'IN_PROGRESS' } as const;",
    "const expected = (await store.read(record.id).catch(() => undefined)) ?? { owner: record.owner, status: 'IN_PROGRESS' as const };",
  ),
  one(
    'take over while the retention lasts',
    DECIDE,
    'if (isExpired(existing, now) && !unsettled)',
    'if (isExpired(existing, now + 2 * policy.clockSkewMillis) && !unsettled)',
  ),
  one(
    'found here: an extension that comes late shortens a later one',
    HELD_RECORD,
    'const expected: Expected = { ...inProgress, leaseUntil: until };',
    'const expected: Expected = inProgress;',
  ),
  one(
    'found here: an amendment makes the retention longer',
    HELD_RECORD,
    'retention ??= Math.max(',
    'retention = Math.max(',
  ),
  {
    name: 'found here: a claim whose lease is over takes over',
    edits: [
      edit(
        CLAIM_WRITES,
        'if (left(record) <= 0 || runtime.now() >= record.leaseUntil) throw',
        'if (left(record) < Number.NEGATIVE_INFINITY) throw',
      ),
      // A takeover's lease begins with it: so that it can be over, it must begin with the request again.
      edit('src/core/budget.ts', '? end : runtime.now() + millis),', '? end : end + millis),'),
    ],
    tests: [KEPT],
  },
  {
    name: 'found here: a late outcome takes the fencing token back',
    edits: [edit(HELD_RECORD, 'const token = Math.max(attempt, existing?.attempt ?? 0);', 'const token = attempt;')],
    tests: [KEPT],
  },
  one(
    'found here: a takeover makes its caller wait for more than one lease',
    CLAIM_WRITES,
    'return Math.min(budget.left(leaseUntil), patience - budget.reserveMillis);',
    'return Math.max(budget.left(leaseUntil), 0 * patience);',
  ),
  one(
    'a checkpoint, or an extension, without the owner condition',
    HELD_RECORD,
    'write(() => store.replace(next, expected), millis)',
    'write(async () => store.replace(next, (await store.read(record.id)) ?? expected), millis)',
  ),
  one(
    'run a step again although its result is kept',
    STEP,
    'if (kept !== undefined) {',
    "if (kept !== undefined && name === '') {",
  ),
  one(
    'begin a step after the lease is lost',
    EXECUTION,
    'if (!isCompleted() && (isLost || runtime.now() >= held.leaseUntil())) throw leaseLostError();',
    '',
  ),
  one(
    'go on before the result of a step is kept',
    STEP,
    'return decodeCheckpoint(name, await keep(name, encodeCheckpoint(await run(name, fn)))) as',
    'const result = await run(name, fn);\n    void keep(name, encodeCheckpoint(result)).catch(() => undefined);\n    return result as',
  ),
  one(
    'a checkpoint that could not be written counts as kept',
    STEP,
    'if (!failure.recordRefused || text === TOO_LARGE) throw failed(name, failure);',
    'if (!failure.recordRefused || text === TOO_LARGE) return text;',
  ),
  one(
    'a release drops the checkpoints',
    HELD_RECORD,
    "status: 'RELEASED', checkpoints: keptCheckpoints() }",
    "status: 'RELEASED' }",
  ),
  one(
    'a takeover drops the checkpoints',
    DECIDE,
    "checkpoints: reason === 'retention over' ? undefined : checkpoints,",
    'checkpoints: undefined,',
  ),
  one(
    'release while steps are still running',
    EXECUTION,
    'const isOver = steps.size === 0 ||',
    'const isOver = true ||',
  ),
  one(
    'write the items of a transaction apart from the outcome',
    'src/stores/dynamodb/transaction.ts',
    'const failed = await table.transact(put ? [...items, { Put: put }] : items, token);',
    'await table.transact(items, token);\n  const failed = await table.transact([{ Put: put }], token.slice(1));',
  ),
  one(
    'a transaction without the owner condition',
    HELD_RECORD,
    'store.transact?.(completed, inProgress, items, token)',
    'store.transact?.(completed, (await store.read(id)) ?? inProgress, items, token)',
  ),
  one(
    'a transaction whose answer was lost has failed, and is released',
    HELD_RECORD,
    'write(() => store.replace(released, inProgress), millis);',
    "write(async () => store.replace(released, { owner, status: (await store.read(id))?.status ?? 'IN_PROGRESS' }), millis);",
  ),
  one(
    'a transaction whose answer was lost is seen as that of another execution',
    HELD_RECORD,
    'return isThis ? settledBy(existing, false) : lost(existing);',
    'return isThis && items === undefined ? settledBy(existing, false) : lost(existing);',
  ),
  {
    name: 'found here: a late outcome replaces a newer one',
    edits: [edit(OVERWRITE, "status: 'COMPLETED', revision },", "status: 'COMPLETED' },")],
    tests: ['test/integration/complete.test.ts'],
  },
  {
    name: 'what is thrown after complete takes the place of the response',
    edits: [
      edit(
        EXECUTION,
        "if (isCompleted() && encoded?.outcome.kind !== 'returned') held.confirm();",
        'if (final === undefined) held.confirm();',
      ),
      edit(EXECUTION, "if (isCompleted()) return isReturned ? 'store' : 'hold';", ''),
    ],
  },
  one(
    'a request that has waited takes over although the lease is live',
    CONTEND,
    'if (!later) return yieldTo(decision, number, existing);\n        existing = later.existing;',
    `if (!later && decision.kind === 'inFlight' && existing && options.waitMillis > 0) {
          const { owner, status } = existing;
          const expected = { owner, status };
          const tried = await attempt({ kind: 'takeover', attempt: number + 1, expected } as never);
          if ('won' in tried) return tried.won;
          existing = tried.existing;
        } else if (!later) return yieldTo(decision, number, existing);
        else existing = later.existing;`,
  ),
  one(
    'wait without a bound',
    WAIT,
    'Math.min(options.waitMillis, budget.toAnswer() - LAST_READ_MILLIS)',
    '365 * 86_400_000',
  ),
  one(
    'wait for nothing: what is found is not looked at',
    WAIT,
    'return existing === TIMED_OUT ? undefined : { existing };',
    'if (existing === TIMED_OUT) return undefined;',
  ),
  one(
    'a renewal, or a checkpoint, ignores that the lease is lost',
    HELD_RECORD,
    "if (existing?.owner !== owner) return 'lost';",
    'if (existing?.owner !== owner) break;',
  ),
  one(
    'the signal does not fire at the end of the lease',
    'src/core/execution/lease-timers.ts',
    'return fire(leaseEndsError());',
    'return;',
  ),
  one(
    'parts are written while the outcome is, not before it',
    'src/stores/dynamodb/outcome.ts',
    'await parts.write(record.expiration);',
    'void parts.write(record.expiration).catch(() => undefined);',
  ),
  {
    name: 'a part that is missing counts as empty',
    edits: [
      edit(
        PARTS,
        'if (!(part instanceof Uint8Array)) throw',
        'if (!(part instanceof Uint8Array)) read[index] = new Uint8Array();\n    else if (index < 0) throw',
      ),
      edit(PARTS, '    read[index] = part;', '    if (part instanceof Uint8Array) read[index] = part;'),
      edit(PARTS, "if (whole.digest !== digest || whole.parts !== parts) throw new Error('a part is altered');", ''),
    ],
  },
  one(
    'found here: a renewal behind the own release reports a lost lease',
    HELD_RECORD,
    "if (existing.status !== 'IN_PROGRESS') return 'settled';",
    "if (existing.status !== 'IN_PROGRESS') return existing.status === 'COMPLETED' ? 'settled' : 'lost';",
  ),
  one(
    'found here: the retention is over while a handler goes on that has stored its response',
    HELD_RECORD,
    'Math.max(base.expiration, leaseIsOver)',
    'Math.max(base.expiration, 0 * leaseIsOver)',
  ),
  {
    name: 'found here: a completion that got no answer is not made good',
    edits: [
      edit(HELD_RECORD, '    isCertain = false;\n', ''),
      edit(HELD_RECORD, 'let isCertain = false;', 'let isCertain = true;'),
    ],
    tests: [KEPT],
  },
  {
    name: 'a refused try hides an earlier one without an answer',
    edits: [
      edit(
        PERSIST,
        'throw isDoubtful && retryable === false ? revised(failure, { retryable: undefined }) : failure;',
        'throw isDoubtful === undefined ? revised(failure, { retryable: undefined }) : failure;',
      ),
      edit(FAILURE, "const isDoubtful = kind === 'unclear' || attempts > 1;", 'const isDoubtful = attempts < 0;'),
      // The token of the record would find it, too.
      edit(HELD_RECORD, 'existing.transaction === token;', 'existing.owner === owner;'),
    ],
    tests: ['test/integration/i13-done-is-true.test.ts', KEPT],
  },
  {
    name: 'a throttled key is no answer: its request runs unguarded',
    edits: [
      edit(FAILURE, "unanswered: kind === 'unanswered' || undefined,", "unanswered: kind !== 'refused' || undefined,"),
    ],
    tests: ['test/integration/i14-an-answer.test.ts'],
  },
  {
    name: 'a refusal behind a step counts as one before the work',
    edits: [edit(EXECUTION, "runStep !== undefined || stored !== 'no'", "stored !== 'no'")],
    tests: ['test/core/execution/ending.test.ts', 'test/http/behaviour.test.ts'],
  },
  {
    name: 'a replay keeps a content coding that its client cannot read',
    edits: [edit('src/http/response.ts', "decodedBody(response['body'], coding, http)", 'undefined')],
    tests: ['test/http/content-coding.test.ts'],
  },
  {
    name: 'an API key or a certificate stands in for a caller without a name',
    edits: [
      edit(
        'src/http/identity.ts',
        'find(({ isThere }) => isThere)?.caller;',
        'find(({ caller }) => caller !== undefined)?.caller;',
      ),
    ],
    tests: ['test/integration/i15-somebody.test.ts'],
  },
  {
    name: 'a step runs although the record cannot keep that it is done',
    edits: [
      edit(STEP, 'if (!record.reserve(name)) throw recordFull(name);', "if (name === '') throw recordFull(name);"),
    ],
    tests: ['test/integration/full-record.test.ts'],
  },
  {
    name: 'found here: a takeover whose answer was lost does not know how full its record is',
    edits: [edit(DECIDE, 'existing.checkpoints ? takeover(existing) : {', '{')],
    tests: ['test/integration/full-record.test.ts', 'test/integration/i03-own-writes.test.ts'],
  },
  {
    name: 'a callback-style function is done when it returns',
    edits: [edit('src/function.ts', 'if (declared <= 2) return args.slice(0, 2);', 'if (declared > 0) return args;')],
    tests: ['test/core/callback-style.test.ts'],
  },
  {
    name: 'clones of a process share an owner',
    edits: [edit('src/runtime.ts', 'randomUUID({ disableEntropyCache: true })', 'randomUUID()')],
    tests: ['test/integration/i01-clones.test.ts'],
  },
  {
    name: 'two numbers that are one double are one key',
    edits: [
      edit(
        'src/request-key/path.ts',
        "reader('powertools_json', parseExactly),",
        "reader('powertools_json', JSON.parse),",
      ),
    ],
    tests: ['test/request-key/inexact-keys.test.ts'],
  },
  {
    name: "a refund of the example has the key's ids alone",
    edits: [
      edit(
        'infra/payments/create-refund.ts',
        'const derive = (what: string) =>',
        'const derive = (what: string) => handle.deriveKey(what);\n    const _with = (what: string) =>',
      ),
    ],
    tests: ['test/infra/expired-records.test.ts'],
  },
  {
    name: 'a PUT of the example takes the id of a key',
    edits: [
      edit('infra/payments/put-payment.ts', 'if (DERIVED_ID.test(id)) {', 'if (DERIVED_ID.test(id.slice(99))) {'),
    ],
    tests: ['test/infra/put-payment.test.ts'],
  },
  {
    name: 'an onEvent silences the warnings',
    edits: [
      edit(
        'src/operation.ts',
        'if (warnings === false) return onEvent;',
        'if (warnings === false || onEvent !== undefined) return onEvent;',
      ),
    ],
    tests: ['test/core/warnings-beside-events.test.ts'],
  },
  {
    name: 'a body is parsed with a call for each of its members',
    edits: [
      edit(
        'src/request-key/exact-numbers.ts',
        'return LONG_NUMBER.test(text) ? JSON.parse',
        'return text.length > 0 ? JSON.parse',
      ),
    ],
    tests: ['test/request-key/exact-numbers.test.ts'],
  },
  {
    name: 'the store without the SDK forgets a try without an answer',
    edits: [edit(LITE_TRANSPORT, '{ ...error.$metadata, attempts }', '{ ...error.$metadata, attempts: 1 }')],
    tests: ['test/stores/lite/transport.test.ts'],
  },
  {
    name: 'the store without the SDK takes an altered answer',
    edits: [edit(LITE_ANSWER, 'if (checksum !== undefined &&', 'if (checksum === null &&')],
    tests: ['test/stores/lite/transport.test.ts'],
  },
  {
    name: 'the store without the SDK takes an error with a 200 for done',
    edits: [edit(LITE_ANSWER, "value['__type'] !== undefined", 'false')],
    tests: ['test/stores/lite/transport.test.ts'],
  },
  {
    name: 'the store without the SDK takes a header that it cannot send for silence',
    edits: [edit(LITE_TRANSPORT, "failure.code === 'ERR_INVALID_CHAR'", "failure.code === ''")],
    tests: ['test/stores/lite/transport.test.ts'],
  },
  {
    name: 'the store without the SDK takes the refusal of a proxy for one of DynamoDB',
    edits: [edit(LITE_ANSWER, '...(__type !== undefined && {', '...(status > 0 && {')],
    tests: ['test/stores/lite/transport.test.ts'],
  },
  {
    name: 'a duplicate decodes every checkpoint',
    edits: [
      edit(
        DYNAMODB,
        'checkpoints: steps.read(record.id, stored) };',
        'checkpoints: await decodedAtOnce(steps.read(record.id, stored)) };',
      ),
      edit(
        DYNAMODB,
        'function conditionFor(',
        `async function decodedAtOnce<T extends object>(all: T): Promise<T> {
  for (const one of Object.values(all)) if (typeof one === 'function') await one();
  return all;
}

function conditionFor(`,
      ),
    ],
    tests: ['test/integration/i16-bounded.test.ts'],
  },
  {
    name: 'DynamoDB Local listens on every interface',
    edits: [
      edit(
        'tools/dynamodb-local-program.ts',
        "'-cp', jar, here('LoopbackDynamoDB.java'), ...args",
        "'-jar', jar, ...args",
      ),
    ],
    tests: ['test/infra/dynamodb-local.test.ts'],
  },
  {
    name: 'Docker publishes DynamoDB Local on every interface',
    edits: [edit('tools/dynamodb-local-program.ts', 'port: address, sharedDb', 'port, sharedDb')],
    tests: ['test/infra/dynamodb-local.test.ts'],
  },
  {
    name: 'an endpoint that sends no item with a failed condition has no record',
    edits: [edit(DYNAMODB, 'item ?? (await table.get(id))', 'item')],
    tests: ['test/stores/dynamodb-without-items.test.ts'],
  },
  {
    name: 'a duplicate waits by the wall clock',
    edits: [
      edit(WAIT, 'deadline ??= runtime.monotonic() +', 'deadline ??= runtime.now() +'),
      edit(WAIT, 'const left = deadline - runtime.monotonic();', 'const left = deadline - runtime.now();'),
      edit(WAIT, 'Math.max(deadline - runtime.monotonic(),', 'Math.max(deadline - runtime.now(),'),
    ],
    tests: ['test/core/clock-steps.test.ts'],
  },
  {
    name: 'an outcome is given up by the wall clock',
    edits: [
      edit(PERSIST, 'const end = runtime.monotonic() +', 'const end = runtime.now() +'),
      edit(PERSIST, 'end - runtime.monotonic());', 'end - runtime.now());'),
    ],
    tests: ['test/core/clock-steps.test.ts'],
  },
  {
    name: 'a step of the clock gives an invocation more time',
    edits: [
      edit(
        'src/core/budget.ts',
        'Math.min(remaining?.() ?? 0, initial + startedAt - runtime.monotonic())',
        '(remaining?.() ?? 0 * startedAt)',
      ),
    ],
    tests: ['test/core/clock-steps.test.ts'],
  },
  {
    name: 'a nested call of the same request takes over from its caller',
    edits: [edit('src/operation.ts', 'if (identity) refuseNested(identity.id);', 'refuseNested("");')],
    tests: ['test/nesting.test.ts'],
  },
  {
    name: 'a nested call in a handler of Middy is taken for a duplicate',
    edits: [edit('src/middy/lifecycle.ts', '  stateOf(request).inside = execution;\n', '')],
    tests: ['test/nesting.test.ts'],
  },
  one(
    'transaction: the record has no condition',
    TRANSACTION,
    'store.transact?.(record, takeover?.expected, items, token)',
    'store.transact?.(record, await store.read(id), items, token)',
  ),
  one(
    'transaction: the record is not read when the plan throws',
    TRANSACTION,
    'return { won: await insteadOf(error) };',
    'throw error;',
  ),
  one(
    'transaction: the record is not read when a condition of the items fails',
    TRANSACTION,
    "if ('itemsError' in answer) return { won: await insteadOf(answer.itemsError) };",
    "if ('itemsError' in answer) throw answer.itemsError;",
  ),
  one(
    'transaction: the own outcome is not recognised after a lost answer',
    TRANSACTION,
    'const isOurs = !answer.done && answer.existing?.owner === owner;',
    "const isOurs = !answer.done && answer.existing?.owner === '';",
  ),
  one(
    'transaction: an outcome of another request counts as the own one',
    TRANSACTION,
    'const isOurs = !answer.done && answer.existing?.owner === owner;',
    'const isOurs = !answer.done && answer.existing !== undefined;',
  ),
  one(
    'transaction: a takeover does not raise the fencing token',
    TRANSACTION,
    'attempt: takeover?.attempt ?? 1,',
    'attempt: (takeover?.attempt ?? 2) - 1,',
  ),
  one(
    'transaction: a live lease is taken over',
    TRANSACTION,
    'if (!answer.done && !isOurs) return answer;',
    `if (!answer.done && !isOurs) {
      const { existing } = answer;
      if (existing?.status !== 'IN_PROGRESS') return answer;
      const { owner: other, status, attempt: number } = existing;
      const expected = { owner: other, status };
      return send({ items, stored, outcome }, { kind: 'takeover', attempt: number + 1, expected } as never);
    }`,
  ),
  one(
    'transaction: the plan is made again after a conflict',
    TRANSACTION,
    'if (prepared === undefined) {',
    'if (prepared?.items !== null) {',
  ),
  one(
    'transaction: a try without an answer counts as not written',
    TRANSACTION,
    'throw unfinished(error);',
    'return { done: true } as const;',
  ),
  one(
    'a record names the item of a step before that is written',
    'src/stores/dynamodb/checkpoints.ts',
    'await step.parts?.write(expiration);',
    'void step.parts?.write(expiration).catch(() => undefined);',
  ),
  {
    name: 'found here: a request that waits gives up after ten looks',
    edits: [edit(CONTEND, '        races = 0;\n', '')],
    tests: ['test/core/claim/waiting.test.ts'],
  },
  {
    name: 'a takeover names items of steps that do not last as long as its record',
    edits: [
      edit(PARTS, 'if ((written[index] as number) >= expiration', 'if ((written[index] as number) >= 0 * expiration'),
    ],
    tests: ['test/stores/dynamodb-checkpoints.test.ts'],
  },
  {
    name: 'found here: a takeover reads the results of steps without a limit of time',
    edits: [
      edit(
        'src/core/claim/claim.ts',
        'await writes.inTime(checkpointTexts, opening.checkpoints)',
        'await checkpointTexts(opening.checkpoints)',
      ),
    ],
    tests: ['test/core/claim/guard.test.ts'],
  },
  one(
    'PostgreSQL: a write without the owner condition',
    SQL_STATEMENTS,
    `return \`r.owner = \${owner}::text and r.status`,
    'return `r.status',
  ),
  one(
    'PostgreSQL: a takeover without the lease that was read',
    SQL_STATEMENTS,
    `and (\${lease}::double precision is null or r.lease_until = \${lease}::double precision)`,
    '',
  ),
  one(
    'PostgreSQL: a COMMIT without an answer counts as rolled back',
    'src/stores/postgres/transaction.ts',
    'throw unavailable(error, table);',
    'return { done: false, itemsError: error };',
  ),
  one(
    'PostgreSQL: a record that is locked counts as absent',
    'src/stores/postgres/verbs.ts',
    'if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;',
    'if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;\n        return { done: true };',
  ),
  one(
    'PostgreSQL: the own outcome is not recognised after a lost answer',
    SQL_WORK,
    "const isOurs = existing?.owner === owner && existing.status === 'COMPLETED';",
    'const isOurs = existing === null;',
  ),
  one(
    'found here: a transaction of PostgreSQL takes its whole time at every try',
    SQL_WORK,
    'await within(runtime, millis, () => Promise.race([begun',
    'await within(runtime, left(), () => Promise.race([begun',
  ),
  one('Redis: a write without the owner condition', REDIS_SCRIPTS, 'if r[1] ~= ARGV[1] or r[2]', 'if r[2]'),
  one(
    'Redis: a takeover without the lease that was read',
    REDIS_SCRIPTS,
    "(ARGV[3] ~= '' and r[3] ~= ARGV[3]) or ",
    '',
  ),
  one(
    'Redis: an insert writes over a record',
    REDIS_SCRIPTS,
    "if redis.call('EXISTS', KEYS[1]) == 1 then",
    "if redis.call('EXISTS', KEYS[1]) == 2 then",
  ),
  {
    name: 'found here: a refusal by Redis hides an earlier try without an answer',
    edits: [
      edit(
        'src/stores/redis/failure.ts',
        '(resends && !CLOSED.test(message) ? undefined : false)',
        '(resends ? false : false)',
      ),
    ],
    tests: ['test/integration/postgres-redis-answers.test.ts'],
  },
  {
    name: 'extend gives up after one failure',
    edits: [
      edit(
        HELD_RECORD,
        'return persist((millis) => putLease(next, millis));',
        'return wanted > until ? putLease(next) : persist((millis) => putLease(next, millis));',
      ),
    ],
    tests: ['test/core/execution/ending.test.ts'],
  },
];
