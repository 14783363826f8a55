import { exampleApi } from './example-api.ts';
import { killedPool } from './killed-pool.ts';

/**
 * A process that sends one request to the payments function of the example, and is killed at a place. Its arguments: the URL, the
 * request as JSON, and the place, or nothing.
 */
const [, , url = '', request = '', place = ''] = process.argv;

const { pool, places } = killedPool(url, Number(place));
const answer = await exampleApi(pool)(JSON.parse(request));
process.send?.({ answer, places: places() });
await pool.end();
process.disconnect();
