import { installRedis } from './redis.ts';

/** Installs a Redis for the tests where the machine has none. */
console.log(`Redis for the tests: ${installRedis()}`);
