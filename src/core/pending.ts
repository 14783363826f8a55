/** What has begun and has not ended yet. */
export interface Pending {
  track<T>(running: Promise<T>): Promise<T>;
  isEmpty(): boolean;
  /** Resolves when all of it has ended, one way or another. */
  end(): Promise<unknown>;
}

export function pending(): Pending {
  const all = new Set<Promise<void>>();
  return {
    track(running) {
      const done = () => void all.delete(end);
      const end = running.then(done, done);
      all.add(end);
      return running;
    },
    isEmpty: () => all.size === 0,
    end: () => Promise.all(all),
  };
}
