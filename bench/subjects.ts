import { measureCapacity } from './capacity.ts';
import { measureColdStart } from './cold-start.ts';
import { measureCpu } from './cpu.ts';
import { measureFeatures } from './features.ts';
import type { DetailTable, Measurement } from './finding.ts';
import { growthOfConcurrency } from './growth-concurrency.ts';
import { growthOfPayload } from './growth-payload.ts';
import { growthOfCache, growthOfCheckpoints } from './growth-record.ts';
import { measureLatency } from './latency.ts';
import type { Local } from './table.ts';
import { measureWire } from './wire.ts';

export const SUBJECTS = ['cpu', 'latency', 'wire', 'capacity', 'cold start', 'growth', 'features'] as const;

type Subject = (typeof SUBJECTS)[number];
type Progress = (text: string) => void;

/** How many rounds each subject gets: together about five minutes on two cores. */
const CPU_ROUNDS = 25;
const LATENCY_CALLS = 2000;
const COLD_STARTS = 40;
const PAYLOAD_ROUNDS = 5;
const CONCURRENCY_ROUNDS = 3;

export const MEASURE: Readonly<Record<Subject, (local: Local, progress: Progress) => Promise<Measurement>>> = {
  cpu: (_local, progress) => measureCpu(CPU_ROUNDS, progress),
  latency: (local, progress) => measureLatency(local, LATENCY_CALLS, progress),
  wire: measureWire,
  capacity: measureCapacity,
  'cold start': (_local, progress) => measureColdStart(COLD_STARTS, progress),
  async growth(local, progress) {
    const tables: DetailTable[] = [
      await growthOfPayload(PAYLOAD_ROUNDS, progress),
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
