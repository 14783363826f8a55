import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

/** Lambda gives one CPU at 1,769 MB, and less memory its part of one (AWS: "Configure Lambda function memory"). */
export const shareAt = (megabytes: number) => megabytes / 1769;

/** A group of processes that has a part of one CPU. */
export interface CpuShare {
  add(pid: number): void;
  limit(isLimited: boolean): void;
  /** Ends what is still in it. */
  remove(): void;
}

const PERIOD_MICROS = 20_000;

const GROUPS = [
  { root: '/sys/fs/cgroup/cpu', mark: 'cpu.cfs_quota_us' },
  { root: '/sys/fs/cgroup', mark: 'cgroup.subtree_control' },
] as const;

/** By a control group of Linux, version 1 or 2; `undefined` where there is none, or this user may not make one. */
export function cpuShare(share: number): CpuShare | undefined {
  const group = GROUPS.find(({ root, mark }) => existsSync(`${root}/${mark}`));
  if (group === undefined) return undefined;
  const isFirstVersion = group.mark === 'cpu.cfs_quota_us';
  const folder = `${group.root}/middy-idempotency-bench-${process.pid}`;
  const write = (file: string, text: string) => writeFileSync(file, text);
  const micros = String(Math.round(share * PERIOD_MICROS));
  const limits = {
    limit(isLimited: boolean) {
      if (isFirstVersion) write(`${folder}/cpu.cfs_quota_us`, isLimited ? micros : '-1');
      else write(`${folder}/cpu.max`, `${isLimited ? micros : 'max'} ${PERIOD_MICROS}`);
    },
    add: (pid: number) => write(`${folder}/cgroup.procs`, String(pid)),
    remove() {
      process.removeListener('exit', limits.remove);
      // A process that has been killed stays in its group for a moment.
      for (let tries = 1; ; tries++) {
        for (const pid of readFileSync(`${folder}/cgroup.procs`, 'utf8').split('\n').filter(Boolean)) end(Number(pid));
        try {
          rmdirSync(folder);
          return;
        } catch (error) {
          if (tries === MAX_TRIES) throw error;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        }
      }
    },
  };
  try {
    if (!isFirstVersion) write(`${group.root}/cgroup.subtree_control`, '+cpu');
    mkdirSync(folder);
    if (isFirstVersion) write(`${folder}/cpu.cfs_period_us`, String(PERIOD_MICROS));
    limits.limit(true);
    process.once('exit', limits.remove);
    return limits;
  } catch {
    if (existsSync(folder)) rmdirSync(folder);
    return undefined;
  }
}

const MAX_TRIES = 50;

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
