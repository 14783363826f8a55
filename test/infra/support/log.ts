import { afterEach, beforeEach, vi } from 'vitest';

/** What the example logs, a line each, instead of printing it. */
export function captureLog(): { readonly lines: () => readonly string[]; readonly errors: () => readonly string[] } {
  let lines: string[] = [];
  beforeEach(() => {
    lines = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
  });
  afterEach(() => void vi.mocked(process.stdout.write).mockRestore());
  return { lines: () => lines, errors: () => lines.filter((line) => JSON.parse(line).level === 'error') };
}
