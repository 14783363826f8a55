import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallRun } from './call.ts';

/** On whose behalf code runs, across its awaits. */
export const currentCall = new AsyncLocalStorage<CallRun>();
