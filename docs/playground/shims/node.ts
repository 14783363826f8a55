/** Of Node's modules, what Middy imports: 6 and 7. Only the timer is used, and only with an early timeout of Middy's own. */
export const setTimeout = globalThis.setTimeout;
export const STATUS_CODES = {};
export const { ReadableStream } = globalThis;
export class Readable {}
export const pipeline = undefined;
