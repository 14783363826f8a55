import { measureCapacity } from './capacity.ts';
import { measureColdStart } from './cold-start.ts';
import { measureCpu } from './cpu.ts';
import { measureFeatures } from './features.ts';
import type { DetailTable, Measurement } from './finding.ts';
import { growthOfConcurrency } from './growth-concurrency.ts';
import { measurePayload } from './growth-payload.ts';
import { growthOfCache, growthOfCheckpoints } from './growth-record.ts';
import { measureLatency } from './latency.ts';
import { measureShare } from './share.ts';
import type { Local } from './table.ts';
import { measureWire } from './wire.ts';

export const SUBJECTS = [
  'cold start',
  'share',
  'cpu',
  'payload',
  'latency',
  'wire',
  'capacity',
  'growth',
  'features',
] as const;

type Subject = (typeof SUBJECTS)[number];
type Progress = (text: string) => void;

/** How many rounds each subject gets: together about seven minutes on two cores. */
const COLD_STARTS = 25;
const STARTS_AT_A_SHARE = 12;
const CPU_ROUNDS = 25;
const PAYLOAD_ROUNDS = 7;
const LATENCY_CALLS = 1000;
const CONCURRENCY_ROUNDS = 3;

export const MEASURE: Readonly<Record<Subject, (local: Local, progress: Progress) => Promise<Measurement>>> = {
  'cold start': (_local, progress) => measureColdStart(COLD_STARTS, progress),
  share: (_local, progress) => measureShare(STARTS_AT_A_SHARE, progress),
  cpu: (_local, progress) => measureCpu(CPU_ROUNDS, progress),
  payload: (_local, progress) => measurePayload(PAYLOAD_ROUNDS, progress),
  latency: (local, progress) => measureLatency(local, LATENCY_CALLS, progress),
  wire: measureWire,
  capacity: measureCapacity,
  async growth(local, progress) {
    const tables: DetailTable[] = [
      await growthOfConcurrency(local, CONCURRENCY_ROUNDS, progress),
      await growthOfCheckpoints(local, progress),
      await growthOfCache(progress),
    ];
    return { subject: 'growth', findings: [], tables };
  },
  async features(local, progress) {
    return { subject: 'features', findings: [], tables: [await measureFeatures(local, progress)] };
  },
};
