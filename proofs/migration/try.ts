import { playSeed } from './schedule.ts';
const t0 = performance.now();
const reasons = new Map<string, number>();
let conflicts = 0;
for (let seed = 1; seed <= Number(process.argv[2] ?? 20); seed++) {
  const ran = await playSeed(seed);
  conflicts += ran.conflicts;
  for (const d of ran.doubles) {
    reasons.set(d.reason, (reasons.get(d.reason) ?? 0) + 1);
    if (d.reason === 'UNEXPLAINED') { console.log('seed', seed, d.first.name, d.second.name); if (!process.exitCode) console.log(ran.story.join('\n'), ran.calls.filter(c => c.key === d.first.key)); process.exitCode = 1; }
  }
  if (ran.foreign.length) console.log('foreign', seed, ran.foreign);
}
console.log(reasons, conflicts, performance.now() - t0);
