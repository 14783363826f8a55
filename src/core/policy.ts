import type { EventDetail } from './events.ts';
import type { ResolvedProtocolOptions, Settlement } from './options.ts';
import type { Outcome } from './outcome.ts';

/** Asks the user's policy what becomes of this outcome. One that fails never releases. */
export function policyFor(
  { settle }: ResolvedProtocolOptions,
  outcome: Outcome,
  tell: (detail: EventDetail) => void,
): Settlement {
  let failure: unknown;
  try {
    const settlement: unknown = settle(outcome);
    if (settlement === 'store' || settlement === 'release' || settlement === 'hold') return settlement;
    if (settlement instanceof Promise) settlement.catch(() => undefined);
    failure = new TypeError(`settle must answer 'store', 'release' or 'hold', not ${describe(settlement)}`);
  } catch (error) {
    failure = error;
  }
  tell({ type: 'settlePolicyFailed', error: failure });
  return outcome.kind === 'returned' ? 'store' : 'hold';
}

function describe(value: unknown): string {
  return typeof value === 'string'
    ? `'${value}'`
    : typeof value === 'object'
      ? Object.prototype.toString.call(value)
      : String(value);
}
