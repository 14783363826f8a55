export type { Answer } from './answer.ts';
export { checkIdempotency, expectIdempotent } from './check/check.ts';
export type { Fault } from './check/faults.ts';
export type { Policy, Problem } from './check/judge.ts';
export type { CheckOptions, Counting, PortsOf } from './check/options.ts';
export { CheckReport, type Finding, NotIdempotentError } from './check/report.ts';
export {
  type ConformanceOptions,
  type StoreCheck,
  storeConformance,
  type TransactionProbe,
} from './conformance.ts';
export { faultyStore, type StoreFault, type StoreVerb } from './faulty-store.ts';
export {
  albEvent,
  apiGatewayV1Event,
  apiGatewayV2Event,
  functionUrlEvent,
  type HttpRequest,
} from './gateway-events.ts';
export { type LambdaContextOptions, lambdaContext, type TestContext } from './lambda-context.ts';
export { sqsEvent } from './queue-events.ts';
export { type Retried, type RetryOptions, retry } from './retry.ts';
