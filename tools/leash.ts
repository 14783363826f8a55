import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends a child when this process is gone, however it went: SIGKILL leaves nobody here who could do it. What waits for that is a
 * shell that reads from this process: its input ends with the process. Where there is no `sh` (Windows), nothing waits.
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
