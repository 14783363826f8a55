/** One line of the table at the end. */
export interface Finding {
  readonly name: string;
  readonly value: number;
  /** What `value` counts, such as `of the peer's`. */
  readonly unit: string;
  /** The most that `value` may be. @default there is no target: the figure is for information */
  readonly target?: number;
  /** What is left when nothing but the requests is made, measured in the same run, or known. @default not known */
  readonly floor?: number;
  /** Between what the middle half of the rounds is. @default it does not scatter */
  readonly between?: readonly [number, number];
}

/** Figures behind the findings, as docs/cost-and-speed.md shows them. */
export interface DetailTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What one subject has measured. */
export interface Measurement {
  readonly subject: string;
  readonly findings: readonly Finding[];
  readonly tables: readonly DetailTable[];
}

export function isMet({ value, target }: Finding): boolean | undefined {
  return target === undefined ? undefined : rounded(value) <= target;
}

/** To the digits that are shown: nothing is met, or missed, by what nobody sees. */
export function rounded(value: number): number {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return Number(value.toFixed(digits));
}
