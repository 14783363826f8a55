/** The table of the handlers of a schedule. */
export const EFFECTS_TABLE = 'effects';

export function isRefused(item: object): boolean {
  return 'ConditionCheck' in item;
}
