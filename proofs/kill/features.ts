/** What is killed, and what must be true of it afterwards. */
export interface Feature {
  readonly name: string;
  /** What one execution does to the world. */
  readonly effects: readonly string[];
  /** Of these, what is there exactly once, whatever dies when. */
  readonly exactly?: readonly string[];
  /** Of these, what comes after the point of no return: once, or not at all. */
  readonly atMostOnce?: readonly string[];
  /** Whether an effect is kept before the next one begins: then only the one that was running may happen again. */
  readonly keeps?: 'each effect';
  /** Whether the world knows an effect by its key, and does not have it again. */
  readonly knowsKeys?: boolean;
  /** Whether something must have happened before. */
  readonly prepares?: boolean;
  /** Another process was killed before, at this place. */
  readonly after?: {
    readonly killedAt: string;
    /** Whether the next one comes before its lease is over, and waits for the outcome. */
    readonly waits?: boolean;
  };
  /** Whether a duplicate waits for the outcome when its owner is killed. */
  readonly duplicateWaits?: boolean;
  /** Whether, of whoever is killed, the answer to the first transaction is lost, and later tries are refused. */
  readonly losesAnswer?: boolean;
  /** How often a request is sent at least, where time decides about more of them. */
  readonly least?: Readonly<Record<string, number>>;
}

const ONE = ['charge'];
const STEPS = ['reserve', 'charge', 'confirm'];

export const FEATURES: readonly Feature[] = [
  { name: 'plain', effects: ONE },
  { name: 'plain, in Middy', effects: ONE },
  { name: 'at most once', effects: ONE, exactly: ONE },
  { name: 'replay', effects: ONE, exactly: ONE, prepares: true },
  { name: 'step', effects: STEPS, keeps: 'each effect' },
  {
    name: 'takeover of steps',
    effects: STEPS,
    keeps: 'each effect',
    after: { killedAt: 'charge: answered' },
  },
  { name: 'step, record nearly full', effects: STEPS, keeps: 'each effect' },
  { name: 'step, then a throw', effects: ['reserve', 'charge'], keeps: 'each effect' },
  { name: 'transact', effects: ['deposit'], exactly: ['deposit'] },
  { name: 'transact, answer lost, then refused', effects: ['deposit'], exactly: ['deposit'], losesAnswer: true },
  { name: 'idempotentTransaction', effects: ['deposit'], exactly: ['deposit'] },
  { name: 'idempotentTransaction, its plan reads', effects: ['deposit'], exactly: ['deposit'] },
  {
    name: 'idempotentTransaction, answer lost, then refused',
    effects: ['deposit'],
    exactly: ['deposit'],
    losesAnswer: true,
  },
  { name: 'complete', effects: ['charge', 'mail'], atMostOnce: ['mail'], keeps: 'each effect' },
  { name: 'extend', effects: ['one', 'two'] },
  { name: 'renewLease', effects: ['one', 'two'], least: { extension: 1 } },
  { name: 'owner of a waiting duplicate', effects: ONE, duplicateWaits: true },
  {
    name: 'waiting duplicate',
    effects: ONE,
    after: { killedAt: 'charge: answered', waits: true },
    least: { read: 1 },
  },
  { name: 'parts', effects: ONE },
  { name: 'POST /payments', effects: ['charge', 'payment'], exactly: ['charge', 'payment'], knowsKeys: true },
  {
    name: 'POST /refunds',
    effects: ['payout', 'refund', 'note of the payout'],
    exactly: ['payout', 'refund', 'note of the payout'],
    knowsKeys: true,
    prepares: true,
  },
  {
    name: 'DELETE /payments',
    effects: ['release', 'void'],
    exactly: ['release', 'void'],
    knowsKeys: true,
    prepares: true,
  },
];

/** The same promises, of guards that cannot keep them. */
export const WRONG: readonly Feature[] = [
  { name: 'wrong: effect outside of the transaction', effects: ['deposit'], exactly: ['deposit'] },
  { name: 'wrong: steps are not kept', effects: STEPS, keeps: 'each effect' },
  { name: 'wrong: a claim without its condition', effects: ONE },
];
