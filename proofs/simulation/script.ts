export type StoreName = 'records' | 'postgres' | 'redis' | 'dynamodb';

/** What a handler does with its execution before its end. */
export type Action =
  | { readonly does: 'extend'; readonly millis: number }
  /** Steps that run at the same time. */
  | { readonly does: 'steps'; readonly names: readonly string[] }
  /** An effect in the table, together with the response. `refused`: a condition of the caller's fails. */
  | { readonly does: 'transact'; readonly refused: boolean }
  | { readonly does: 'complete' };

/** What the plan of an `idempotentTransaction` does. */
export interface TransactionScript {
  /** `once`: it reads, and throws where the effect of its key is there. */
  readonly plans: 'always' | 'never' | 'once';
  /** The condition of its items: none, one that fails, or that the effect is not there. */
  readonly items: 'free' | 'refused' | 'once';
}

/** What a handler does, one thing after the other, and how it ends. */
export interface Script {
  /** Where the call is an `idempotentTransaction`: of the rest, only `large` is then of any account. @default it claims */
  readonly transaction?: TransactionScript;
  /** Milliseconds that the lease is extended by, before anything else. */
  readonly extensions: readonly number[];
  /** What it does then. @default nothing */
  readonly actions?: readonly Action[];
  /** The steps whose function throws. @default none */
  readonly failing?: readonly string[];
  /** The steps whose results nearly fill the record, or have items of their own. @default none */
  readonly bulky?: readonly string[];
  /** What it does when a step, `complete` or `transact` throws. @default 'throw' */
  readonly onFailure?: 'throw' | 'go on';
  /** Whether it asks for the signal. @default false */
  readonly watches?: boolean;
  /** Whether its responses need parts. @default false */
  readonly large?: boolean;
  /** What it returns in the end, where it has stored a response before: that, or another one. @default 'the same' */
  readonly returns?: 'the same' | 'another';
  readonly end: 'return' | 'throw' | 'hang' | 'return what JSON refuses';
  /** What the `settle` option says of it. */
  readonly settlement: 'store' | 'release' | 'hold';
  /** In Middy: what happens after the handler. */
  readonly after: 'nothing' | 'a hook throws' | 'a hook throws, another one answers';
  /** In Lambda: what becomes of an early timeout. */
  readonly onTimeout: 'throw' | 'answer';
}

export const PLAIN_SCRIPT: Script = {
  extensions: [],
  end: 'return',
  settlement: 'store',
  after: 'nothing',
  onTimeout: 'throw',
};

interface Given {
  readonly oneOf: <T>(...options: readonly (readonly [T, number])[]) => T;
  readonly chance: (percent: number) => boolean;
  readonly entry: 'function' | 'middy' | 'lambda';
  readonly store: StoreName;
  readonly leaseMillis: number;
  /** Whether records have a limit. */
  readonly hasLimit: boolean;
  /** How many of a hundred calls are an `idempotentTransaction`. */
  readonly transactions: number;
}

/** Scripts of one schedule: most of them are of the same handler, which meets different luck. */
export function chooseScript({
  oneOf,
  chance,
  entry,
  store,
  leaseMillis,
  hasLimit,
  transactions,
}: Given): () => Script {
  const usesHandle = hasLimit || chance(50);
  const common = usesHandle ? actions() : [];
  const isLarge = store === 'dynamodb' && chance(20);
  const hasBulky = hasLimit || (store === 'dynamodb' && chance(50));
  return () => (transactions > 0 && chance(transactions) ? transaction() : script());

  function transaction(): Script {
    const plans = oneOf(['always', 3], ['once', 3], ['never', 1]) as TransactionScript['plans'];
    const items = oneOf(['free', 6], ['once', 3], ['refused', 1]) as TransactionScript['items'];
    return { ...PLAIN_SCRIPT, transaction: { plans, items }, large: isLarge && chance(80) };
  }

  function script(): Script {
    const end = oneOf(['return', 65], ['throw', 22], ['hang', 6], ['return what JSON refuses', 7]) as Script['end'];
    const extensions = Array.from({ length: oneOf([0, 7], [1, 2], [2, 1]) }, millis);
    const usual = end === 'throw' ? 'release' : 'store';
    const settlement = oneOf([usual, 84], ['store', 6], ['hold', 6], ['release', 4]) as Script['settlement'];
    const after =
      entry !== 'function' && end !== 'throw'
        ? (oneOf(['nothing', 6], ['a hook throws', 1], ['a hook throws, another one answers', 1]) as Script['after'])
        : 'nothing';
    const onTimeout = entry === 'lambda' ? (oneOf(['throw', 1], ['answer', 1]) as Script['onTimeout']) : 'throw';
    const uses = usesHandle ? usesOf() : { watches: chance(20) };
    return { extensions, ...uses, large: isLarge && chance(80), end, settlement, after, onTimeout };
  }

  function usesOf(): Partial<Script> {
    return {
      actions: chance(15) ? actions() : common,
      ...(hasBulky && { bulky: STEPS.filter(() => chance(60)) }),
      failing: STEPS.filter(() => chance(15)),
      onFailure: oneOf(['throw', 3], ['go on', 1]) as 'throw' | 'go on',
      returns: oneOf(['the same', 3], ['another', 1]) as 'the same' | 'another',
      watches: chance(30),
    };
  }

  function actions(): Action[] {
    const made: Action[] = [];
    let next = 0;
    for (let count = oneOf([1, 3], [2, 3], [0, 2], [3, 1]); count > 0 && next < STEPS.length; count--) {
      const atOnce = oneOf([1, 3], [2, 1]);
      made.push({ does: 'steps', names: STEPS.slice(next, next + atOnce) });
      next += atOnce;
      if (chance(10)) made.push({ does: 'extend', millis: millis() });
    }
    const finish = oneOf(['nothing', 3], ['transact', store === 'redis' ? 0 : 3], ['complete', 2]);
    if (finish === 'nothing') return made;
    made.push(finish === 'transact' ? { does: 'transact', refused: chance(15) } : { does: 'complete' });
    if (chance(20)) made.push({ does: 'steps', names: ['last'] });
    // Against the rules, or twice: the record must not suffer from it.
    if (chance(8))
      made.push(chance(50) || store === 'redis' ? { does: 'complete' } : { does: 'transact', refused: false });
    return made;
  }

  function millis(): number {
    return oneOf([leaseMillis, 2], [Math.ceil(leaseMillis / 4), 1], [leaseMillis * 3, 1]);
  }
}

const STEPS: readonly string[] = ['a', 'b', 'c'];
