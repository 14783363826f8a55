import { type Configuration, configuration } from './configuration.ts';

/** The clock that is ahead by the whole tolerance. */
const AHEAD = 1000;
const TWO = [0, 0];
const THREE = [0, 0, 0];

/** What `npm test` explores: a few seconds. */
export const SMALL: readonly Configuration[] = [
  configuration('two executions', { offsets: TWO, waits: 1 }),
  configuration('two, a clock ahead', { offsets: [0, AHEAD], waits: 1 }),
  configuration('two, one network fault', { offsets: TWO, waits: 0, faults: 1 }),
  configuration('two, one network fault, a step', { offsets: TWO, waits: 0, faults: 1, step: true }),
  configuration('a transaction and a claim, one network fault', {
    offsets: TWO,
    waits: 0,
    transactions: [true, false],
    faults: 1,
  }),
];

/** Two executions: a minute or two. */
export const PAIRS: readonly Configuration[] = [
  configuration('two, Middy, a later hook', {
    offsets: TWO,
    waits: 2,
    entry: 'middy',
    ends: ['return', 'throw', 'hold'],
  }),
  configuration('two, waiting', { offsets: TWO, waits: 2, waitMillis: 6000 }),
  configuration('two, leases extended', { offsets: TWO, waits: 1, extensions: [6000] }),
  configuration('two, at most once', {
    offsets: TWO,
    waits: 2,
    onExpiredLease: 'throw',
    ends: ['return', 'throw', 'hold'],
  }),
  configuration('two payloads', { offsets: TWO, waits: 2, payloads: ['p', 'q'] }),
  configuration('two, the second clock ahead', { offsets: [0, AHEAD], waits: 2 }),
  configuration('two, short retention, TTL', { offsets: TWO, waits: 2, retentionSeconds: 1, deletions: true }),
  configuration('two, one pause', { offsets: TWO, waits: 1, pauses: 1 }),
  configuration('two, one fault, sent once', { offsets: TWO, waits: 1, faults: 1, sdkTries: 1 }),
  configuration('two, one fault, sent again', { offsets: TWO, waits: 1, faults: 1 }),
  configuration('two', { offsets: TWO, waits: 3 }),
  configuration('two, a step', { offsets: TWO, waits: 1, step: true }),
  configuration('two transactions, one fault', { offsets: TWO, waits: 1, transactions: [true, true], faults: 1 }),
  configuration('two transactions, short retention, TTL', {
    offsets: [0, AHEAD],
    waits: 1,
    transactions: [true, true],
    faults: 1,
    retentionSeconds: 1,
    deletions: true,
  }),
  configuration('a transaction and a claim', { offsets: [0, AHEAD], waits: 2, transactions: [true, false] }),
  configuration('a transaction that looks first, and a claim', {
    offsets: TWO,
    waits: 1,
    transactions: [true, false],
    lookFirst: true,
    faults: 1,
    sdkTries: 1,
  }),
  configuration('a transaction and a claim, at most once', {
    offsets: TWO,
    waits: 1,
    transactions: [true, false],
    onExpiredLease: 'throw',
    payloads: ['p', 'q'],
  }),
];

/** Three executions: minutes. */
export const TRIPLES: readonly Configuration[] = [
  configuration('three', { offsets: THREE, waits: 1 }),
  configuration('three, two of them transactions', {
    offsets: THREE,
    waits: 1,
    transactions: [true, true, false],
    plans: ['return', 'throw'],
  }),
  configuration('three, one fault, sent again', { offsets: THREE, waits: 0, faults: 1 }),
];
