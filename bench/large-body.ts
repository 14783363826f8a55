import { requestFingerprint } from '../src/http/fingerprint.ts';
import { readRequest } from '../src/http/request.ts';
import { httpEvent } from './event.ts';
import { median } from './rounds.ts';

/** What Lambda hands on at most. */
const BYTES = 6_000_000;

/** CPU of the fingerprint of a request with 3 million numbers, as a ratio to what JSON.parse takes for its body. */
export function largeBodyRatio(rounds: number): number {
  const body = `[${'0,'.repeat(BYTES / 2 - 1)}0]`;
  const request = readRequest({ ...httpEvent('key'), body });
  const micros = { parse: [] as number[], fingerprint: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    micros.parse.push(microsOf(() => JSON.parse(body)));
    micros.fingerprint.push(microsOf(() => requestFingerprint(request)));
  }
  return median(micros.fingerprint) / median(micros.parse);
}

function microsOf(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
