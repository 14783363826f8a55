import { cpuRatios } from './cpu.ts';
import { largeBodyRatio } from './large-body.ts';

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

const MAX_LARGE_BODY_RATIO = 5;

const ratio = largeBodyRatio(ROUNDS);
console.log(`CPU of a body of 6 MB: ${ratio.toFixed(2)} of JSON.parse; ${MAX_LARGE_BODY_RATIO} is allowed`);
if (!(ratio <= MAX_LARGE_BODY_RATIO)) {
  console.error('A client can keep this function busy before its claim: something walks over all members of a body');
  process.exitCode = 1;
}
