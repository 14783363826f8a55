export {
  type ConformanceOptions,
  type StoreCheck,
  storeConformance,
  type TransactionProbe,
} from './conformance.ts';
