import type { TimeBudget } from '../budget.ts';
import type { RecordCache } from '../cache.ts';
import type { EventDetail } from '../events.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import type { ReplayFormat } from '../record/outcome.ts';
import type { Identity, InProgressRecord } from '../record/record.ts';
import type { Runtime } from '../runtime.ts';

/** What a won claim hands over to its execution. */
export interface ExecutionContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly budget: TimeBudget;
  readonly record: InProgressRecord;
  readonly cache: RecordCache | undefined;
  readonly format: ReplayFormat;
  readonly tell: (detail: EventDetail) => void;
}
