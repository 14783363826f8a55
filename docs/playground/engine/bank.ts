import { BALANCE, type ChargeView } from './terms.ts';

/** The world outside of the table, which has the effects of the handlers. It knows nothing of the record. */
export class Bank {
  readonly #charges: ChargeView[] = [];
  readonly #receipts = new Map<string, string>();

  get charges(): readonly ChargeView[] {
    return [...this.#charges];
  }

  get balance(): number {
    return this.#charges.reduce((left, { amount, isKnown }) => left - (isKnown ? 0 : amount), BALANCE);
  }

  /** Has the effect. `key`: asked again with it, it answers as before. @returns the receipt */
  happen(charge: Omit<ChargeView, 'isKnown'>, key?: string): { readonly receipt: string; readonly isKnown: boolean } {
    const known = key === undefined ? undefined : this.#receipts.get(key);
    const number = this.#charges.filter(({ isKnown }) => !isKnown).length + 1;
    const receipt = known ?? `${charge.effect}-${number}`;
    if (key !== undefined) this.#receipts.set(key, receipt);
    const isKnown = known !== undefined;
    this.#charges.push({ ...charge, isKnown });
    return { receipt, isKnown };
  }
}
