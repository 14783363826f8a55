import { parentPort, workerData } from 'node:worker_threads';
import { runSeeds } from './seeds.ts';

/** A part of the seeds, on another core. */
parentPort?.postMessage(await runSeeds(workerData));
