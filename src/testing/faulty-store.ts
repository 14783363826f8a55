import type { RecordStore } from '../core/record/store.ts';

/** A verb of a store. */
export type StoreVerb = 'insert' | 'replace' | 'remove' | 'read' | 'transact';

export interface StoreFault {
  /** @default any verb */
  readonly verb?: StoreVerb;
  /** At which call of that verb, from 1 on. @default 1 */
  readonly call?: number;
  /**
   * `'not-applied'`: it throws and has written nothing. `'applied'`: it has written, and throws. `'silent'`: it has written, and
   * never answers.
   */
  readonly fault: 'not-applied' | 'applied' | 'silent';
  /** What it throws. @default an error as of a broken connection */
  readonly error?: unknown;
}

/**
 * A store that fails where the test says so. Everything else is the given store's.
 *
 * @throws TypeError when a fault has a wrong `call`
 */
export function faultyStore<TItem>(store: RecordStore<TItem>, ...faults: readonly StoreFault[]): RecordStore<TItem> {
  if (faults.some(({ call = 1 }) => !Number.isInteger(call) || call < 1)) {
    throw new TypeError('faultyStore: `call` must be a whole number from 1 on');
  }
  const left = faults.map((fault) => ({ ...fault, countdown: fault.call ?? 1 }));
  const strike = async <T>(verb: StoreVerb, perform: () => Promise<T>): Promise<T> => {
    let due: StoreFault | undefined;
    for (const fault of left) {
      if ((fault.verb ?? verb) === verb && --fault.countdown === 0) due ??= fault;
    }
    if (due === undefined) return perform();
    if (due.fault !== 'not-applied') await perform();
    if (due.fault === 'silent') return new Promise<never>(() => undefined);
    throw due.error ?? lostAnswer();
  };
  const { maxOutcomeBytes, transact } = store;
  return {
    insert: (record) => strike('insert', () => store.insert(record)),
    replace: (record, expected) => strike('replace', () => store.replace(record, expected)),
    remove: (id, expected) => strike('remove', () => store.remove(id, expected)),
    read: (id) => strike('read', () => store.read(id)),
    ...(transact !== undefined && {
      transact: (...args: Parameters<typeof transact>) => strike('transact', () => transact.apply(store, args)),
    }),
    ...(maxOutcomeBytes !== undefined && { maxOutcomeBytes }),
  };
}

/** As a broken connection looks to the caller of an AWS SDK client, of `fetch`, or of any other client. */
export function lostAnswer(): Error {
  return Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET' });
}
