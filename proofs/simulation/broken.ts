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

const SETTLING = 'src/core/settling.ts';
const DECIDE = 'src/core/decide.ts';
const GUARD = 'src/core/guard.ts';
const CLAIM_REQUESTS = 'src/core/claim-requests.ts';
const RUN = 'src/middy/run.ts';
const KEPT = 'proofs/simulation/kept-schedules.test.ts';
const DYNAMODB = 'src/stores/dynamodb.ts';

const LEASE = 'src/core/lease.ts';
const STEPS = 'src/core/steps.ts';
const EXECUTION = 'src/core/execution.ts';
const WAITING = 'src/core/waiting.ts';
const PARTS = 'src/stores/dynamodb/parts.ts';

/** The conditions of what is there now, whoever wrote it: no condition at all. */
const WHATEVER_IS_THERE = '(await store.read(id)) ?? { owner, status }';

/** The policy is not asked when the handler has answered. */
const JUDGED_LATER = edit(RUN, "this.#decide({ kind: 'returned', value: response });", '{}');

/** The breaks that the protocol must not survive unnoticed. */
export const BREAKS: readonly Break[] = [
  one(
    'complete without the owner condition',
    SETTLING,
    'const answer = await write(() => store.replace(completed, { owner, status }), least);',
    `const answer = await write(async () => store.replace(completed, ${WHATEVER_IS_THERE}), least);`,
  ),
  one(
    'release without the owner condition',
    SETTLING,
    'write(() => store.replace(released, expected), least);',
    `write(async () => store.replace(released, ${WHATEVER_IS_THERE.replace('{ owner, status }', 'expected')}), least);`,
  ),
  {
    name: 'the DynamoDB store forgets the owner condition',
    edits: [
      edit(
        DYNAMODB,
        "const conditions = ['#owner = :owner', '#status = :status'];",
        "const conditions = ['(#owner = :owner OR NOT #owner = :owner)', '#status = :status'];",
      ),
    ],
    tests: ['test/integration/i02-fenced.test.ts', 'test/stores/dynamodb.test.ts'],
  },
  {
    name: 'release when a hook behind the handler throws',
    edits: [
      JUDGED_LATER,
      edit(
        RUN,
        "this.#failure = isDone ? { kind: 'returned', value: this.#answer } : { kind: 'threw', error };",
        "this.#failure = { kind: 'threw', error };",
      ),
    ],
  },
  {
    name: 'judge what a hook has made of the answer',
    edits: [
      JUDGED_LATER,
      edit(RUN, "this.#hasAnswered ? { kind: 'returned', value: this.#answer } : outcome;", 'outcome;'),
    ],
    tests: ['test/integration/i04-finished-effect.test.ts'],
  },
  one(
    'skip self-recognition',
    DECIDE,
    "if (existing.owner === claim.owner && existing.status === 'IN_PROGRESS') return { kind: 'won', record: existing };",
    '',
  ),
  one(
    'compare the lease with a wrong time: the end of the own one',
    DECIDE,
    'if (now < over)',
    'if (claim.leaseUntil < over)',
  ),
  one(
    'compare the own lease with a wrong time: the beginning of the claim',
    CLAIM_REQUESTS,
    'return this.#runtime.now() >= leaseUntil;',
    'return this.#startedAt >= leaseUntil;',
  ),
  one(
    'let a mismatch delete the record',
    GUARD,
    '        if (conflict === undefined) return this.#yield(decision, attempt, existing);',
    `        if (decision.kind === 'keyReused' && existing !== undefined) {
          await this.#options.store.remove(existing.id, { owner: existing.owner, status: existing.status });
        }
        if (conflict === undefined) return this.#yield(decision, attempt, existing);`,
  ),
  {
    name: 'store the response of a timeout',
    edits: [
      edit(RUN, 'if (!this.#timedOut) {', 'if (!this.#timedOut || this.#timedOut) {'),
      edit(RUN, "if (this.#timedOut) this.#settlement = 'hold';", ''),
    ],
  },
  one('forget the skew', DECIDE, 'existing.leaseUntil + policy.clockSkewMillis', 'existing.leaseUntil'),
  one('TTL shorter than the lease', 'src/core/expiration.ts', 'Math.max(leaseUntil + clockSkewMillis, ', 'Math.max('),
  {
    name: 'compute the key again after the event was changed',
    edits: [
      edit(
        'src/operation.ts',
        'guard(identity, invocation.remaining)',
        'guard({ ...identity, get id() { return identify(request, operation, invocation.args)?.id ?? identity.id; } } as Identity, invocation.remaining)',
      ),
      edit(SETTLING, 'return { id, owner,', 'return { id: context.identity.id, owner,'),
    ],
    tests: ['test/integration/i06-key-once.test.ts'],
  },
  one(
    'start after the own lease',
    CLAIM_REQUESTS,
    'if (!this.#isOver(record)) return;',
    'if (record.leaseUntil > 0) return;',
  ),
  one(
    'take over without the lease that was read',
    DECIDE,
    '{ owner, status, leaseUntil: existing.leaseUntil } :',
    '{ owner, status } :',
  ),
  one(
    'a release deletes the record',
    SETTLING,
    'write(() => store.replace(released, expected),',
    'write(() => store.remove(id, expected),',
  ),
  one(
    'an outcome is written once, not until it is',
    'src/core/writing.ts',
    'tries: maxTries = Number.POSITIVE_INFINITY',
    'tries: maxTries = 1',
  ),
  one(
    'an outcome is not put back where the record is gone',
    SETTLING,
    'if (existing === undefined) return putBack(completed);',
    '',
  ),
  one(
    'a failure of the store masks the answer',
    SETTLING,
    "tell({ type: 'completionFailed', error });",
    'throw error;',
  ),
  one(
    'replay for ever',
    'src/core/record.ts',
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
    "return policy.onExpiredLease === 'throw' ? { kind: 'outcomeUnknown' } : takeover",
    'return takeover',
  ),
  one('wait for the store for ever', 'src/core/runtime.ts', 'delay.elapsed.then(() => resolve(TIMED_OUT));', ''),
  one(
    'an abandoned claim is taken back whoever has the record',
    CLAIM_REQUESTS,
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
    'src/core/lease.ts',
    "status: 'IN_PROGRESS', leaseUntil: until }",
    "status: 'IN_PROGRESS' }",
  ),
  one(
    'found here: an amendment makes the retention longer',
    SETTLING,
    'retention ??= { expiration: Math.max',
    'retention = { expiration: Math.max',
  ),
  {
    name: 'found here: a claim whose lease is over takes over',
    edits: [
      edit(
        CLAIM_REQUESTS,
        'if (this.#left(record) <= 0 || this.#isOver(record)) throw',
        'if (this.#left(record) < Number.NEGATIVE_INFINITY) throw',
      ),
      // A takeover's lease begins with it: so that it can be over, it must begin with the request again.
      edit('src/core/budget.ts', 'leaseEnd: () => runtime.now() + millis,', 'leaseEnd: () => end + millis,'),
    ],
    tests: [KEPT],
  },
  {
    name: 'found here: an amendment takes the fencing number back',
    edits: [
      edit(SETTLING, '      attempt = later.attempt;\n', ''),
      edit(SETTLING, 'const later = notBelow(before, completed);', 'const later = completed;'),
    ],
    tests: [KEPT],
  },
  one(
    'found here: a takeover makes its caller wait for more than one lease',
    CLAIM_REQUESTS,
    'return this.#budget.left(Math.min(leaseUntil, patience));',
    'return this.#budget.left(leaseUntil + 0 * patience);',
  ),
  one(
    'a checkpoint, or an extension, without the owner condition',
    LEASE,
    'write(() => options.store.replace(next, expected), least)',
    'write(async () => options.store.replace(next, (await options.store.read(record.id)) ?? expected), least)',
  ),
  one(
    'run a step again although its result is kept',
    STEPS,
    'if (kept !== undefined) {',
    "if (kept !== undefined && name === '') {",
  ),
  one(
    'begin a step after the lease is lost',
    EXECUTION,
    'if (!isCompleted() && (isLost || runtime.now() >= lease.until())) throw leaseLostError();',
    '',
  ),
  one(
    'go on before the result of a step is kept',
    STEPS,
    'return decodeCheckpoint(name, await keep(name, await run(name, fn))) as',
    'const result = await run(name, fn);\n    void keep(name, result).catch(() => undefined);\n    return result as',
  ),
  one(
    'a checkpoint that could not be written counts as kept',
    STEPS,
    'if (failure.recordRefused !== true) throw failed(name, failure);',
    'if (failure.recordRefused !== true) return text;',
  ),
  one('a release drops the checkpoints', SETTLING, 'Object.keys(checkpoints).length > 0 && { checkpoints }', '{}'),
  one(
    'a takeover drops the checkpoints',
    DECIDE,
    "existing.status === 'COMPLETED' || reason === 'retention over' ? undefined : existing.checkpoints",
    'undefined',
  ),
  one(
    'release while steps are still running',
    EXECUTION,
    'const isOver = steps.isEmpty() ||',
    'const isOver = true ||',
  ),
  one(
    'write the items of a transaction apart from the outcome',
    'src/stores/dynamodb/transaction.ts',
    'await table.transact({ TransactItems: [...items, { Put: put }], ClientRequestToken: token });',
    'await table.transact({ TransactItems: [...items], ClientRequestToken: token });\n    await table.transact({ TransactItems: [{ Put: put }], ClientRequestToken: token.slice(1) });',
  ),
  one(
    'a transaction without the owner condition',
    SETTLING,
    'store.transact?.(completed, { owner, status }, items, token)',
    'store.transact?.(completed, (await store.read(id)) ?? { owner, status }, items, token)',
  ),
  one(
    'a transaction whose answer was lost has failed, and is released',
    SETTLING,
    'write(() => store.replace(released, expected), least);',
    'write(async () => store.replace(released, { owner, status: (await store.read(id))?.status ?? status }), least);',
  ),
  one(
    'a transaction whose answer was lost is seen as that of somebody else',
    SETTLING,
    'return settledBy(answer.done ? completed : answer.existing, false);',
    'return answer.done ? settledBy(completed, false) : lost(answer.existing);',
  ),
  {
    name: 'found here: a late amendment takes the place of a later one',
    edits: [
      edit(SETTLING, "status: 'COMPLETED', ...(provisional > 0 && { provisional }) };", "status: 'COMPLETED' };"),
    ],
    tests: ['test/integration/complete.test.ts'],
  },
  {
    name: 'what is thrown after complete takes the place of the response',
    edits: [
      edit(
        EXECUTION,
        "if (isCompleted() && (settlement !== 'store' || outcome.kind === 'threw')) {",
        'if (steps === undefined) {',
      ),
      edit(EXECUTION, "if (isCompleted()) return outcome.kind === 'returned' ? 'store' : 'hold';", ''),
    ],
  },
  one(
    'a request that has waited takes over although the lease is live',
    GUARD,
    'if (conflict === undefined) return this.#yield(decision, attempt, existing);',
    `if (conflict === undefined && decision.kind === 'inFlight' && existing && this.#options.waitMillis > 0) {
          candidate = this.#candidate(attempt + 1);
          conflict = await this.#requests.replace(candidate, existing as never);
        } else if (conflict === undefined) return this.#yield(decision, attempt, existing);`,
  ),
  one(
    'wait without a bound',
    WAITING,
    'Math.min(options.waitMillis, budget.toAnswer() - LAST_READ_MILLIS)',
    '365 * 86_400_000',
  ),
  one(
    'wait for nothing: what is found is not looked at',
    WAITING,
    'return existing === TIMED_OUT ? undefined : { existing };',
    'if (existing === TIMED_OUT) return undefined;',
  ),
  one(
    'a renewal, or a checkpoint, ignores that the lease is lost',
    LEASE,
    "if (existing?.owner !== record.owner) return 'lost';",
    'if (existing?.owner !== record.owner) break;',
  ),
  one(
    'the signal does not fire at the end of the lease',
    'src/core/lease-watch.ts',
    'return fire(reason());',
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
      edit(PARTS, "if ((await digestOf(bytes)) !== digest) throw new Error('a part was altered');", ''),
    ],
  },
  one(
    'found here: a renewal that comes behind the own release has lost its lease to nobody',
    LEASE,
    "if (existing.status !== 'IN_PROGRESS') return 'settled';",
    "if (existing.status !== 'IN_PROGRESS') return existing.status === 'COMPLETED' ? 'settled' : 'lost';",
  ),
  one(
    'found here: the retention is over while a handler goes on that has stored its response',
    SETTLING,
    'Math.max(expiration, leaseIsOver)',
    'leaseIsOver < 0 ? leaseIsOver : expiration',
  ),
  {
    name: 'found here: a completion that got no answer is not made good',
    edits: [edit(SETTLING, '    stored = undefined;\n', '')],
    tests: [KEPT],
  },
];
