import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The program of a Chromium on the PATH; `undefined` where there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** In a container, where everything runs as root, Chromium has no sandbox. */
export const CHROMIUM_OPTIONS: readonly string[] = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
