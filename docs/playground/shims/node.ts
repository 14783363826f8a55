/** Of Node's modules, what Middy imports: `setTimeout` of `node:timers`, `STATUS_CODES` of `node:http`. */
export const setTimeout = globalThis.setTimeout;
export const STATUS_CODES = {};
