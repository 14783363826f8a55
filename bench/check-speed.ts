import { cpuRatios } from './cpu.ts';

/**
 * Fails when the middleware takes much more CPU than it is known to, as a ratio to the peer's in the same run. The margin is wide:
 * what fails here is a mistake, such as an expression that is parsed for every request, and never noise.
 */
const ROUNDS = 9;
const LIMITS: Readonly<Record<string, number>> = {
  'first call, a real client, no network': 1.4,
  'replay, a real client, no network': 1.4,
  'first call, without the SDK': 1.8,
  'replay, without the SDK': 1.5,
};

for (const { what, client, ratio } of await cpuRatios(ROUNDS)) {
  const name = `${what}, ${client}`;
  const limit = LIMITS[name] ?? 0;
  console.log(`CPU of a ${name}: ${ratio.toFixed(2)} of the peer's; ${limit} is allowed`);
  if (!(ratio <= limit)) {
    console.error('Much slower than it was: npm run bench -- --only cpu, and a profile (node --cpu-prof), say more');
    process.exitCode = 1;
  }
}
