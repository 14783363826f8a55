import { shortCpuRatios } from './cpu.ts';
import { largeBodyRatio } from './large-body.ts';

/**
 * Fails when a guarded call takes much more CPU than it is known to, as a ratio to the peer's in the same run. The margin is wide,
 * and what is over it is measured once more: what fails here is a mistake, such as an expression that is parsed for every
 * request, and not the noise of a busy machine.
 */
const ROUNDS = 7;
const LIMITS = { lite: 0.35, ours: 1.4 } as const;

async function areWithinLimits(rounds: number): Promise<boolean> {
  let areWithin = true;
  for (const { name, side, value } of await shortCpuRatios(rounds)) {
    console.log(`CPU of a ${name}, no network: ${value.toFixed(2)} of the peer's; ${LIMITS[side]} is allowed`);
    areWithin &&= value <= LIMITS[side];
  }
  return areWithin;
}

if (!(await areWithinLimits(ROUNDS)) && !(await areWithinLimits(3 * ROUNDS))) {
  console.error('Much slower than it was: npm run bench -- --only cpu, and a profile (node --cpu-prof), say more');
  process.exitCode = 1;
}

const MAX_LARGE_BODY_RATIO = 5;

function isLargeBodyWithinLimit(rounds: number): boolean {
  const ratio = largeBodyRatio(rounds);
  console.log(`CPU of a body of 6 MB: ${ratio.toFixed(2)} of JSON.parse; ${MAX_LARGE_BODY_RATIO} is allowed`);
  return ratio <= MAX_LARGE_BODY_RATIO;
}

if (!isLargeBodyWithinLimit(ROUNDS) && !isLargeBodyWithinLimit(3 * ROUNDS)) {
  console.error('A client can keep this function busy before its claim: something walks over all members of a body');
  process.exitCode = 1;
}
