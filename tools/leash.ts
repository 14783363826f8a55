import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends a child when this process is gone, also by SIGKILL, after which this process cannot do it. A
 * shell that reads from this process waits for that: its input ends with the process. Without `sh`
 * (Windows) nothing waits.
 */
export function leash(child: ChildProcess): void {
  if (child.pid === undefined) return;
  // Its own process group: Ctrl-C must not reach it before the child has ended.
  const watcher = spawn('sh', ['-c', `read -r _; kill ${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.on('error', () => undefined);
  watcher.unref();
  // The id of a child that has ended may soon be that of another process.
  child.once('exit', () => watcher.kill('SIGKILL'));
}
