export type { IdempotencyEvent, IdempotencyEventType } from './core/events.ts';
export type { IdempotencyHandle } from './core/execution/handle.ts';
export type { Settlement } from './core/options.ts';
export type { Outcome } from './core/record/outcome.ts';
export type {
  Checkpoints,
  CompletedRecord,
  IdempotencyRecord,
  InProgressRecord,
  ReleasedRecord,
  StoredOutcome,
} from './core/record/record.ts';
export type { ConditionalResult, Expected, InsertResult, RecordStore } from './core/record/store.ts';
export { IdempotencyError, type IdempotencyErrorCode, type IdempotencyErrorDetails } from './errors.ts';
export { type FunctionOptions, type IdempotentFunction, idempotent } from './function.ts';
export type { Jsonified } from './json.ts';
export {
  type IdempotencyContext,
  type IdempotencyMiddleware,
  type IdempotencyOptions,
  idempotency,
} from './middy.ts';
export type { OperationOptions } from './operation.ts';
export type { Selector } from './request-key/selector.ts';
