export type { IdempotencyEvent, IdempotencyEventType } from './core/events.ts';
export type { IdempotencyHandle } from './core/execution/handle.ts';
export type { MigrationSource, Settlement } from './core/options.ts';
export type { Outcome } from './core/record/outcome.ts';
export type {
  Checkpoints,
  CompletedRecord,
  IdempotencyRecord,
  InProgressRecord,
  ReleasedRecord,
  StoredOutcome,
} from './core/record/record.ts';
export type { Expected, RecordStore, TransactionResult, WriteResult } from './core/record/store.ts';
export { IdempotencyError, type IdempotencyErrorCode, type IdempotencyErrorDetails } from './errors.ts';
export { type FunctionOptions, type IdempotentFunction, idempotent } from './function.ts';
export type { Jsonified } from './json.ts';
export { type IdempotencyOptions, idempotency } from './middy/idempotency.ts';
export type { GuardedContext, IdempotencyContext, IdempotencyMiddleware } from './middy/lifecycle.ts';
export type { OperationOptions } from './operation.ts';
export type { Selector } from './request-key/selector.ts';
export {
  idempotentTransaction,
  type PlanContext,
  type TransactionOptions,
  type TransactionPlan,
} from './transaction.ts';
