export {
  type DescribeOptions,
  describeRecord,
  type OutcomeDescription,
  type RecordDescription,
  type RecordState,
} from './describe.ts';
export { type Explanation, explainRequest, type RequestToIdentify, recordId } from './explain.ts';
export { completeRecord, type Resolution, type ResolveOptions, releaseRecord } from './resolve.ts';
